"""What is a call of the Web API, which methods are there, and how are calls refused?"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from bot.slack.limits import Problem
from sandbox.slack.elements import Json

if TYPE_CHECKING:
    from sandbox.slack.state import SlackState

T = TypeVar("T")
STRUCTURED = frozenset({"attachments", "blocks", "files", "message", "metadata", "view", "channel_ids"})
"""Arguments that come as JSON inside a form or query string."""


class Refused(Exception):
    """The call is answered `{"ok": false, "error": …}` with these further fields."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(kw_only=True)
class Call:
    """One request to a method, and what was answered (None: the connection was cut)."""

    method: str
    arguments: Json
    at: datetime
    status: int | None = None
    answer: Json | None = None
    user_agent: str = field(default="", repr=False)

    @property
    def error(self) -> str | None:
        """Slack's error code in the answer, if there is one."""
        return None if self.answer is None else self.answer.get("error")

    def required(self, name: str) -> Any:
        value = self.arguments.get(name)
        if value is None or value == "":
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def text(self, name: str) -> str | None:
        value = self.arguments.get(name)
        return None if value is None else str(value)

    def truth(self, name: str) -> bool:
        """A boolean as JSON or, in forms and queries, as `1`, `0`, `true`, `false`."""
        return self.arguments.get(name) in (True, 1, "1", "true", "True")

    def whole(self, name: str, default: int) -> int:
        value = self.arguments.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise invalid_arguments(f"must be an integer [json-pointer:/{name}]") from None


Answer: TypeAlias = Callable[["SlackState", Call], Json]


class Method(NamedTuple):
    """How a method answers, the bot scopes it needs (all of them), and its calls a minute (None: special)."""

    answer: Answer
    scopes: tuple[str, ...]
    per_minute: int | None
    by: str | None


METHODS: dict[str, Method] = {}
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}


def method(
    name: str, *scopes: str, tier: int | None = None, by: str | None = "bot"
) -> Callable[[Answer], Answer]:
    """Register how `name` is answered. `by` is the token it takes: `bot`, `app`, None for none."""

    def keep(answer: Answer) -> Answer:
        METHODS[name] = Method(answer, scopes, None if tier is None else TIERS[tier], by)
        return answer

    return keep


def invalid_arguments(*messages: str) -> Refused:
    return Refused(
        "invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}" for message in messages]}
    )


def refuse(problems: Sequence[Problem]) -> None:
    """Raise the refusal Slack would answer these problems with, if there are any."""
    if not problems:
        return
    error = problems[0].error
    if error in {"invalid_blocks", "invalid_arguments"}:
        written = [str(problem) for problem in problems if problem.error == error]
        errors = {"errors": written} if error == "invalid_blocks" else {}
        messages = [f"[ERROR] {each}" for each in written]
        raise Refused(error, **errors, response_metadata={"messages": messages})
    raise Refused(error)


def structured(arguments: Mapping[str, Any]) -> Json:
    """Arguments with JSON strings of structured ones read, and absent ones left out."""
    read: Json = {}
    for key, value in arguments.items():
        if key in STRUCTURED and isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                read[key] = json.loads(value)
            except ValueError:
                raise Refused("invalid_blocks_format" if key == "blocks" else "invalid_json") from None
        elif value is not None:
            read[key] = value
    return read


def page(items: Sequence[T], call: Call, *, default: int, most: int) -> tuple[list[T], str]:
    """One page of `items` by the call's `limit` and `cursor`, and the cursor of the next (empty: none)."""
    limit = call.whole("limit", default)
    if not 1 <= limit <= most:
        raise Refused("invalid_limit")
    start = 0
    if cursor := call.text("cursor"):
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except ValueError:
            raise Refused("invalid_cursor") from None
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), following
