"""Where was a modal opened from, and what may be wrong with what was filled in?"""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.ports import Json
from bot.slack.ids import Action, Target
from bot.slack.mrkdwn import plain
from bot.slack.words import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the modal was opened from; travels in `private_metadata`, ids only."""

    target: Target
    channel: str | None
    thread_ts: str | None = None
    language: str = "ja"

    def encode(self) -> str:
        """As text."""
        kept = {"target": self.target.encode(), "channel": self.channel, "thread": self.thread_ts}
        return json.dumps({**kept, "language": self.language})

    @classmethod
    def decode(cls, text: object) -> Place | None:
        """From text; None when it is not ours."""
        try:
            read = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            return None
        if not isinstance(read, dict) or (target := Target.decode(str(read.get("target")))) is None:
            return None
        return cls(
            target=target,
            channel=read.get("channel"),
            thread_ts=read.get("thread"),
            language=str(read.get("language") or "ja"),
        )


Form = dict[str, str]
Errors = dict[str, str]
"""What is wrong, by the block id of the input it stands under."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A submission that cannot be taken."""

    errors: Errors


def modal(action: Action, title: str, submit: str, blocks: list[Json], place: Place) -> Json:
    """A modal with these blocks; `title` and `submit`: keys of our words."""
    language = place.language
    return {
        "type": "modal",
        "callback_id": action.value,
        "title": plain(say(title, language)),
        "submit": plain(say(submit, language)),
        "close": plain(say("cancel", language)),
        "private_metadata": place.encode(),
        "blocks": blocks,
    }
