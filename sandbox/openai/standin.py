"""How does an OpenAI-compatible server take requests, and answer, refuse, stall or stumble?"""

import asyncio
import base64
import hashlib
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.exchange import Answer, Call, Declined, Doorway, Exchange
from sandbox.openai.requests import Asked, read_chat, read_responses, refuse
from sandbox.openai.writer import plain_reply, write

EMBEDDING_DIMENSIONS = 1536


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model declines to answer."""

    text: str = "I can't help with that."


@dataclass(frozen=True, slots=True)
class Truncated:
    """The answer breaks off; `reason` is `max_output_tokens` or `content_filter`."""

    text: str = '{"reply": "お問い合わせ'
    reason: str = "max_output_tokens"


@dataclass(frozen=True, slots=True)
class Failed:
    """The response ends as failed, with status 200."""

    code: str = "server_error"
    message: str = "The model failed to generate a response."


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error; `code` and `message` go into OpenAI's error body."""

    status: int
    message: str = "error"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing for so long, then the ordinary answer."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Garbage:
    """A body that is no answer at all."""

    body: str | bytes = "<html><body>Bad Gateway</body></html>"
    status: int = 200
    media_type: str = "text/html"


Scripted = dict[str, Any] | str | Refusal | Truncated | Failed | Status | Hang | Garbage


class OpenAIStandIn:
    """Loopback `/v1/responses`, `/v1/chat/completions`, `/v1/embeddings` and `/v1/models`.

    `answers` are given first, one per request: a dict or str is what the model says, the other kinds are
    how it goes wrong. Without them a deterministic writer fills the JSON Schema asked for. `journal`
    holds every request, `faults` breaks connections. With `api_key` only that key is let in. While
    `is_gullible`, the writer does and says whatever the customer asks of it, as a model talked round would.
    """

    def __init__(
        self, clock: Callable[[], datetime], *, api_key: str | None = None, is_gullible: bool = False
    ) -> None:
        self.clock = clock
        self.api_key = api_key
        self.is_gullible = is_gullible
        self.answers: list[Scripted] = []
        self._numbers = count(1)
        self._door = Doorway(
            self._answer,
            clock=clock,
            request_ids=lambda: f"req_{next(self._numbers):032x}",
            request_id_header="x-request-id",
        )
        self.journal = self._door.journal
        self.faults = self._door.faults
        self.app = Starlette(routes=[Mount("/", self._door)])

    async def _answer(self, call: Call, _exchange: Exchange) -> Answer:
        self._let_in(call)
        match call.method, call.path:
            case "POST", "/v1/responses":
                asked = read_responses(_json(call))
                return await self._speak(asked, self._response)
            case "POST", "/v1/chat/completions":
                asked = read_chat(_json(call))
                return await self._speak(asked, self._completion)
            case "POST", "/v1/embeddings":
                return Answer(200, _embeddings(_json(call)))
            case "GET", "/v1/models":
                model = {"id": "sandbox", "object": "model", "created": 0, "owned_by": "sandbox"}
                return Answer(200, {"object": "list", "data": [model]})
        raise Declined(404, _error(f"Invalid URL ({call.method} {call.path})", None))

    def _let_in(self, call: Call) -> None:
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            raise Declined(401, _error("You didn't provide an API key.", None))
        if self.api_key is not None and key != self.api_key:
            raise Declined(401, _error("Incorrect API key provided.", "invalid_api_key"))

    async def _speak(self, asked: Asked, shape: Callable[[Asked, Any], dict[str, Any]]) -> Answer:
        scripted = self.answers.pop(0) if self.answers else None
        if isinstance(scripted, Hang):
            await asyncio.sleep(scripted.seconds)
            scripted = None
        match scripted:
            case Status():
                body = _error(scripted.message, scripted.code)
                return Answer(scripted.status, body, dict(scripted.headers))
            case Garbage():
                return Answer(scripted.status, scripted.body, media_type=scripted.media_type)
            case None:
                return Answer(200, shape(asked, _written(asked, is_gullible=self.is_gullible)))
            case dict():
                return Answer(200, shape(asked, json.dumps(scripted, ensure_ascii=False)))
            case _:
                return Answer(200, shape(asked, scripted))

    def _response(self, asked: Asked, said: Any) -> dict[str, Any]:
        number = next(self._numbers)
        text = said if isinstance(said, str) else getattr(said, "text", "")
        content: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
        if isinstance(said, Refusal):
            content = {"type": "refusal", "refusal": said.text}
        status = {Truncated: "incomplete", Failed: "failed"}.get(type(said), "completed")
        message = {
            "type": "message",
            "id": f"msg_{number:032x}",
            "role": "assistant",
            "status": "incomplete" if status == "incomplete" else "completed",
            "content": [content],
        }
        failure = {"code": said.code, "message": said.message} if isinstance(said, Failed) else None
        cut = {"reason": said.reason} if isinstance(said, Truncated) else None
        sent, written = asked.tokens(), _tokens(text)
        return {
            "id": f"resp_{number:032x}",
            "object": "response",
            "created_at": int(self.clock().timestamp()),
            "model": asked.model,
            "status": status,
            "error": failure,
            "incomplete_details": cut,
            "instructions": asked.instructions or None,
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            "output": [] if failure else [message],
            "usage": {
                "input_tokens": sent,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": written,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": sent + written,
            },
        }

    def _completion(self, asked: Asked, said: Any) -> dict[str, Any]:
        if isinstance(said, Failed):
            raise Declined(500, _error(said.message, said.code))
        text = said if isinstance(said, str) else said.text
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if isinstance(said, Refusal):
            message |= {"content": None, "refusal": text}
        finish = "stop"
        if isinstance(said, Truncated):
            finish = "length" if said.reason == "max_output_tokens" else "content_filter"
        sent, written = asked.tokens(), _tokens(text)
        return {
            "id": f"chatcmpl-{next(self._numbers):032x}",
            "object": "chat.completion",
            "created": int(self.clock().timestamp()),
            "model": asked.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
            "usage": {"prompt_tokens": sent, "completion_tokens": written, "total_tokens": sent + written},
        }


def _written(asked: Asked, *, is_gullible: bool) -> str:
    if asked.schema is None:
        return plain_reply(instructions=asked.instructions, said=asked.said)
    value = write(asked.schema, instructions=asked.instructions, said=asked.said, is_gullible=is_gullible)
    return json.dumps(value, ensure_ascii=False)


def _error(message: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def _json(call: Call) -> dict[str, Any]:
    try:
        body = call.json
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Declined(400, _error("We could not parse the JSON body of your request.", None))
    return body


def _tokens(text: str) -> int:
    return max(1, len(text.encode()) // 4)


def _embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Vectors in which texts that share pairs of letters lie close; the same text gives the same vector."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise refuse("Invalid 'input': must be a string or an array of strings.", "input")
    if not isinstance(body.get("model"), str):
        raise refuse("you must provide a model parameter", "model")
    dimensions = body.get("dimensions", EMBEDDING_DIMENSIONS)
    vectors = [_vector(text, dimensions) for text in texts]
    is_packed = body.get("encoding_format") == "base64"
    listed = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if is_packed else vector}
        for index, vector in enumerate(vectors)
    ]
    used = sum(map(_tokens, texts))
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "model": body["model"], "data": listed, "usage": usage}


def _vector(text: str, dimensions: int) -> list[float]:
    vector = [0.0] * dimensions
    for index in range(len(text)):
        digest = hashlib.sha256(text[index : index + 2].encode("utf-8", "replace")).digest()
        vector[int.from_bytes(digest[:4]) % dimensions] += 1.0 if digest[4] % 2 else -1.0
    length = math.sqrt(sum(part * part for part in vector)) or 1.0
    return [part / length for part in vector]


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
