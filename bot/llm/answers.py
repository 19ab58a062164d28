"""What does the model make of a customer's question? Never raises, never retries; nothing here is checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import structlog
from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict

import prompts
from bot.llm.asking import Model, NoAnswer
from bot.ports import AnswerText, KnownPassage

log = structlog.get_logger()

INTENT_SECONDS = 6.0
EMBED_SECONDS = 6.0
EMBED_AT_ONCE = 64
ANSWER_MOST = 1_000
"""Characters of an answer that are looked at."""


class Sorted(BaseModel):
    """One message, sorted."""

    model_config = ConfigDict(extra="forbid")

    intent: Literal["question", "interest", "complaint", "wish", "other"]


class Written(BaseModel):
    """One answer as the model writes it."""

    model_config = ConfigDict(extra="forbid")

    is_answerable: bool
    answer: str
    source: str


class ModelAnswerer:
    """The port `bot.ports.Answerer` over an OpenAI-compatible server."""

    def __init__(self, client: AsyncOpenAI, *, model: str, embedding_model: str | None = None) -> None:
        """`client` must not retry by itself."""
        self._client = client
        self._model = Model(client, model)
        self._quick = Model(client.with_options(timeout=INTENT_SECONDS), model)
        self._embedding_model = embedding_model

    @property
    def embedding_model(self) -> str | None:
        """Which model embeds; None: none is configured."""
        return self._embedding_model

    async def intent(self, text: str, *, language: str) -> str | None:
        """`question`, `interest`, `complaint`, `wish` or `other`; None: no usable answer."""
        rendered = prompts.load("intent").render(language=language, text=text)
        try:
            return (await self._quick.ask(rendered, Sorted)).intent
        except Exception as error:  # whatever a server sends: words decide then
            log.warning("intent.fell_back", because=_because(error))
            return None

    async def answer(
        self, question: str, *, language: str, passages: Sequence[KnownPassage]
    ) -> AnswerText | None:
        """An answer from these passages, empty where they hold none; None: no usable answer."""
        rendered = prompts.load("answering").render(
            language=language,
            question=question,
            passages=[{"source": each.source, "text": each.text} for each in passages],
        )
        try:
            written = await self._model.ask(rendered, Written)
        except Exception as error:  # whatever a server sends: the passage itself is given then
            log.warning("answer.fell_back", because=_because(error))
            return None
        text = written.answer.strip() if written.is_answerable else ""
        return AnswerText(text=text[:ANSWER_MOST], source=written.source)

    async def embed(self, texts: Sequence[str]) -> list[list[float]] | None:
        """The embeddings of these texts; None: none configured, or no usable answer."""
        if self._embedding_model is None or not texts:
            return None
        client = self._client.with_options(timeout=EMBED_SECONDS)
        found: list[list[float]] = []
        try:
            for start in range(0, len(texts), EMBED_AT_ONCE):
                part = list(texts[start : start + EMBED_AT_ONCE])
                answer = await client.embeddings.create(model=self._embedding_model, input=part)
                found += [[float(number) for number in each.embedding] for each in answer.data]
            if len(found) != len(texts) or not all(found):
                raise NoAnswer("incomplete")
        except Exception as error:
            log.warning("embedding.unavailable", because=_because(error))
            return None
        return found


def _because(error: Exception) -> str:
    return str(error) if isinstance(error, NoAnswer) else type(error).__name__
