"""Doors for people who connect a product: the description of our doors, as a page and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse

from bot.deps import Deps
from handlers.openapi import document

_CLOSED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = Path(__file__).with_name("reference.html")


def router(deps: Deps) -> APIRouter:
    """`/v1/openapi.json` and `/v1/docs`; they say nothing of anybody, and need no key."""
    doors = APIRouter()
    described = document(deps.settings.base_url)
    page = _page(described)

    @doors.get("/v1/openapi.json")
    async def on_document() -> JSONResponse:
        return JSONResponse(described, headers={"Access-Control-Allow-Origin": "*"})

    @doors.get("/v1/docs")
    async def on_page() -> HTMLResponse:
        return HTMLResponse(page, headers=_CLOSED)

    return doors


def _page(described: dict[str, Any]) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_function"] = _readable
    operations = {
        path: {method: {"requestBody": None, **operation} for method, operation in each.items()}
        for path, each in described["paths"].items()
    }
    return environment.from_string(_PAGE.read_text(encoding="utf-8")).render(
        it={**described, "paths": operations}
    )


def _readable(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)
