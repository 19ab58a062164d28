"""How is a model asked for something of a fixed shape, on any OpenAI-compatible server?"""

from __future__ import annotations

from typing import TypeVar

from openai import AsyncOpenAI, NotFoundError
from pydantic import BaseModel

from prompts import Rendered

MAX_OUTPUT_TOKENS = 1_500
T = TypeVar("T", bound=BaseModel)


class NoAnswer(Exception):
    """The model gave nothing that can be used; says why in one word."""


class Model:
    """One model of one server; `/chat/completions` where it has no `/responses`."""

    def __init__(self, client: AsyncOpenAI, name: str) -> None:
        """`client` must not retry by itself."""
        self._client = client
        self._name = name
        self._has_responses = True

    async def ask(self, rendered: Rendered, shape: type[T]) -> T:
        """What the model answers, in this shape. Nothing is stored there.

        Raises:
            NoAnswer: it refused, or broke off.
            Exception: whatever the SDK raises (timeouts, refusals, answers of another shape).
        """
        found: T | None = None
        if self._has_responses:
            try:
                found = await self._respond(rendered, shape)
            except NotFoundError as error:
                if error.code == "model_not_found":
                    raise
                self._has_responses = False  # a compatible server without /responses
        if not self._has_responses:
            found = await self._complete(rendered, shape)
        if found is None:
            raise NoAnswer("nothing")
        return found

    async def _respond(self, rendered: Rendered, shape: type[T]) -> T:
        answer = await self._client.responses.parse(
            model=self._name,
            instructions=rendered.system,
            input=[{"role": "user", "content": rendered.user}],
            text_format=shape,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            store=False,
        )
        if answer.status != "completed":
            raise NoAnswer(f"status {answer.status}")
        if answer.output_parsed is None:
            raise NoAnswer("refusal")
        return answer.output_parsed

    async def _complete(self, rendered: Rendered, shape: type[T]) -> T:
        answer = await self._client.chat.completions.parse(
            model=self._name,
            messages=[
                {"role": "system", "content": rendered.system},
                {"role": "user", "content": rendered.user},
            ],
            response_format=shape,
            max_completion_tokens=MAX_OUTPUT_TOKENS,
            store=False,
        )
        choice = answer.choices[0]
        if choice.finish_reason != "stop" or choice.message.parsed is None:
            raise NoAnswer(f"finish {choice.finish_reason}")
        return choice.message.parsed
