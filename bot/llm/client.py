"""What does the model propose, and what happens when it does not answer? Never raises, never retries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from openai import AsyncOpenAI, NotFoundError
from pydantic import BaseModel, ConfigDict

import prompts
from bot.llm.drafts import TemplateDrafter
from bot.ports import Drafter, DraftRequest, DraftText
from bot.settings import Settings

log = structlog.get_logger()

TIMEOUT_SECONDS = 20.0
MAX_OUTPUT_TOKENS = 1_500
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


class NoAnswer(Exception):
    """The model gave nothing that can be used; says why in one word."""


class ModelDrafter:
    """Asks an OpenAI-compatible server; templates stand in whenever it has no usable answer."""

    def __init__(self, client: AsyncOpenAI, *, model: str, fallback: Drafter) -> None:
        """`client` must not retry by itself."""
        self._client = client
        self._model = model
        self._fallback = fallback
        self._has_responses = True

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
        proposals: Proposals | None = None
        if self._has_responses:
            try:
                proposals = await self._respond(rendered)
            except NotFoundError as error:
                if error.code == "model_not_found":
                    raise
                self._has_responses = False  # a compatible server without /responses
        if not self._has_responses:
            proposals = await self._complete(rendered)
        if proposals is None:
            raise NoAnswer("nothing")
        return [each.reply.strip() for each in proposals.drafts]

    async def _respond(self, rendered: prompts.Rendered) -> Proposals:
        answer = await self._client.responses.parse(
            model=self._model,
            instructions=rendered.system,
            input=[{"role": "user", "content": rendered.user}],
            text_format=Proposals,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            store=False,
        )
        if answer.status != "completed":
            raise NoAnswer(f"status {answer.status}")
        if answer.output_parsed is None:
            raise NoAnswer("refusal")
        return answer.output_parsed

    async def _complete(self, rendered: prompts.Rendered) -> Proposals:
        answer = await self._client.chat.completions.parse(
            model=self._model,
            messages=[
                {"role": "system", "content": rendered.system},
                {"role": "user", "content": rendered.user},
            ],
            response_format=Proposals,
            max_completion_tokens=MAX_OUTPUT_TOKENS,
            store=False,
        )
        choice = answer.choices[0]
        if choice.finish_reason != "stop" or choice.message.parsed is None:
            raise NoAnswer(f"finish {choice.finish_reason}")
        return choice.message.parsed


@asynccontextmanager
async def drafter_of(settings: Settings) -> AsyncIterator[Drafter]:
    """The drafter for these settings: templates only, when there is no key."""
    templates = TemplateDrafter()
    if settings.openai_api_key is None:
        yield templates
        return
    client = AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url or OPENAI_API,
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
    )
    try:
        yield ModelDrafter(client, model=settings.openai_model, fallback=templates)
    finally:
        await client.close()
