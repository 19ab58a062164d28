"""What does the model propose, and what happens when it does not answer? Never raises, never retries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict

import prompts
from bot.llm.answers import ModelAnswerer
from bot.llm.asking import Model, NoAnswer
from bot.llm.drafts import TemplateDrafter
from bot.ports import Answerer, Drafter, DraftRequest, DraftText
from bot.settings import Settings

log = structlog.get_logger()

TIMEOUT_SECONDS = 20.0
ANSWER_SECONDS = 12.0
"""A customer waits for it, and a reply is free for a minute."""
MAX_DRAFTS = 3
OPENAI_API = "https://api.openai.com/v1"


class Proposal(BaseModel):
    """One reply as the model writes it."""

    model_config = ConfigDict(extra="forbid")

    reply: str


class Proposals(BaseModel):
    """What the model is asked for."""

    model_config = ConfigDict(extra="forbid")

    drafts: list[Proposal]


class ModelDrafter:
    """Asks an OpenAI-compatible server; templates stand in whenever it has no usable answer."""

    def __init__(self, client: AsyncOpenAI, *, model: str, fallback: Drafter) -> None:
        """`client` must not retry by itself."""
        self._model = Model(client, model)
        self._fallback = fallback

    async def draft(self, request: DraftRequest) -> tuple[DraftText, ...]:
        """One to three replies."""
        try:
            texts = [text for text in await self._ask(request) if text]
            if not texts:
                raise NoAnswer("empty")
        except Exception as error:  # whatever a server sends: the card gets a template, not an error
            because = str(error) if isinstance(error, NoAnswer) else type(error).__name__
            log.warning("draft.fell_back", because=because)
            return await self._fallback.draft(request)
        return tuple(DraftText(text=text, source="model") for text in texts[:MAX_DRAFTS])

    async def _ask(self, request: DraftRequest) -> list[str]:
        rendered = prompts.load("drafting").render(
            language=request.language,
            lines=[{line.speaker: line.text} for line in request.lines],
            reasons=list(request.reasons),
            wish=request.wish or "",
        )
        proposals = await self._model.ask(rendered, Proposals)
        return [each.reply.strip() for each in proposals.drafts]


@asynccontextmanager
async def drafter_of(settings: Settings) -> AsyncIterator[Drafter]:
    """The drafter for these settings: templates only, when there is no key."""
    templates = TemplateDrafter()
    if settings.openai_api_key is None:
        yield templates
        return
    async with _client_of(settings, timeout=TIMEOUT_SECONDS) as client:
        yield ModelDrafter(client, model=settings.openai_model, fallback=templates)


@asynccontextmanager
async def answerer_of(settings: Settings) -> AsyncIterator[Answerer | None]:
    """Who reads and answers questions with a model; None when there is no key."""
    if settings.openai_api_key is None:
        yield None
        return
    async with _client_of(settings, timeout=ANSWER_SECONDS) as client:
        yield ModelAnswerer(
            client, model=settings.openai_model, embedding_model=settings.openai_embedding_model
        )


def _client_of(settings: Settings, *, timeout: float) -> AsyncOpenAI:
    assert settings.openai_api_key is not None
    return AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url or OPENAI_API,
        timeout=timeout,
        max_retries=0,
    )
