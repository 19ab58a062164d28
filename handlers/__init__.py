"""Every door on one screen: acknowledge, read the payload into our types, call one flow, answer."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter

from bot.deps import Deps
from handlers import clicks, ingest, line, media, reference, slack, web


def doors(deps: Deps) -> Iterator[APIRouter]:
    """The route table."""
    yield web.router(deps)  # /healthz /readyz /metrics
    yield ingest.router(deps)  # /v1/identify /v1/track /v1/group /v1/batch /v1/customers/…/line-link
    yield reference.router(deps)  # /v1/openapi.json /v1/docs
    yield clicks.router(deps)  # /r/{token}
    yield media.router(deps)  # /media/{token}
    yield line.router(deps)  # /line/webhook
    yield slack.router(deps)  # /slack/events
