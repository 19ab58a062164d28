"""Is this trigger_id or response_url still good?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.slack.workspace import Message

TRIGGER_LIFE = timedelta(seconds=3)
RESPONSE_URL_LIFE = timedelta(minutes=30)
RESPONSE_URL_USES = 5


@dataclass(kw_only=True)
class Trigger:
    """Given with one interaction of `user`; `view_id` is set when it happened inside a modal."""

    user: str
    issued_at: datetime
    view_id: str | None = None
    is_used: bool = False


@dataclass(kw_only=True)
class ResponseUrl:
    """Where the app may answer one interaction; `original` is the message it happened in."""

    user: str
    channel: str
    issued_at: datetime
    original: Message | None = None
    uses: int = 0


@dataclass
class Tickets:
    """Every trigger_id and response_url given out."""

    clock: Callable[[], datetime]
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)

    def new_trigger(self, user: str, *, view_id: str | None = None) -> str:
        number = len(self.triggers) + 1
        trigger_id = f"{7_000_000_000_000 + number}.2147483647.{number:032x}"
        self.triggers[trigger_id] = Trigger(user=user, issued_at=self.clock(), view_id=view_id)
        return trigger_id

    def use_trigger(self, trigger_id: object) -> Trigger | str:
        """The trigger, now used; or Slack's error code when it is unknown, late or used before."""
        trigger = self.triggers.get(trigger_id) if isinstance(trigger_id, str) else None
        if trigger is None:
            return "invalid_trigger_id"
        if trigger.is_used:
            return "exchanged_trigger_id"
        if self.clock() - trigger.issued_at > TRIGGER_LIFE:
            return "expired_trigger_id"
        trigger.is_used = True
        return trigger

    def new_response_url(self, user: str, channel: str, original: Message | None = None) -> str:
        """The last part of a new response_url."""
        key = f"{len(self.response_urls) + 1:024x}"
        self.response_urls[key] = ResponseUrl(
            user=user, channel=channel, issued_at=self.clock(), original=original
        )
        return key

    def use_response_url(self, key: str) -> ResponseUrl | str:
        """The ticket, one use fewer; or what the real one answers with 404."""
        ticket = self.response_urls.get(key)
        if ticket is None:
            return "invalid_url"
        if self.clock() - ticket.issued_at > RESPONSE_URL_LIFE:
            return "expired_url"
        if ticket.uses >= RESPONSE_URL_USES:
            return "used_url"
        ticket.uses += 1
        return ticket
