"""Doors for operators: is it alive, is it ready, what does it count?"""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from bot.deps import Deps
from bot.flows.operate.gauge import Gauges
from bot.flows.operate.ready import ready
from bot.metrics import REGISTRY


def router(deps: Deps) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`."""
    doors = APIRouter()
    gauges = Gauges(deps)

    @doors.get("/healthz")
    async def on_health() -> dict[str, str]:
        return {"status": "ok"}

    @doors.get("/readyz")
    async def on_ready() -> JSONResponse:
        answer = await ready(deps)
        status = "ok" if not answer.problems else "not ready"
        return JSONResponse(
            {"status": status, "problems": answer.problems}, status_code=503 if answer.problems else 200
        )

    @doors.get("/metrics")
    async def on_metrics() -> Response:
        await gauges.read()
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return doors
