"""What do flows need of LINE, Slack and the model? Real adapters and stand-ins pass one contract test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

Json = dict[str, Any]

# --- LINE ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """LINE took the request (2xx, or 409: it had taken it before). Not the same as delivered."""

    request_id: str | None
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLater:
    """Not known to be taken (timeout, 5xx, unreadable answer, rate limit): same key, same body, later.

    `is_untaken`: LINE certainly never saw the request (no connection was made), so it may go another way.
    """

    because: str
    is_rate_limit: bool = False
    is_untaken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaExceeded:
    """The monthly limit: no counted send can go out; replies still can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """LINE will never take this request. `is_token_spent`: only the reply token was the reason."""

    because: str
    is_token_spent: bool = False


SendOutcome = Accepted | TryLater | QuotaExceeded | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProfile:
    """What LINE tells of a user."""

    line_user_id: str
    display_name: str
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a customer sent, as LINE keeps it. `is_too_large`: more than asked for; then it is empty."""

    content_type: str
    content: bytes
    is_too_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuota:
    """The month's messages: `limit` None is no limit. `used` is what LINE calls approximate."""

    limit: int | None
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFigures:
    """What LINE tells of one unit; None: fewer than 20 people, which it does not tell."""

    seen_by: int | None
    clicked_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerFigures:
    """`followers`: who ever added the account; `reached`: who can be reached; `blocks`: who blocked it."""

    followers: int
    reached: int
    blocks: int


class LineAccount(Protocol):
    """What LINE tells of our account. Every method raises Unavailable where LINE does not answer."""

    async def quota(self) -> LineQuota:
        """How many messages the month has, and how many of them are used."""
        ...

    async def unit_figures(self, unit: str, *, start: date, end: date) -> UnitFigures | None:
        """Of a unit's messages on at most 30 days in Japan; None: LINE tells nothing. 60 times an hour."""
        ...

    async def followers(self, day: date) -> FollowerFigures | None:
        """By a day in Japan; None: not known (yet). 60 times an hour."""
        ...

    async def link_menus(self, rich_menu_id: str | None, line_user_ids: Sequence[str]) -> bool:
        """Show up to 500 users this rich menu, None: the default one; False: there is no such menu."""
        ...


class Line(LineAccount, Protocol):
    """The only way to a customer's phone."""

    async def push(
        self, *, line_user_id: str, bubbles: Sequence[Json], retry_key: UUID, unit: str | None = None
    ) -> SendOutcome:
        """Send 1 to 5 message objects; the key makes repeats harmless for 24 hours.

        Args:
            unit: the name under which LINE counts what becomes of them.
        """
        ...

    async def reply(self, *, reply_token: str, bubbles: Sequence[Json]) -> SendOutcome:
        """Answer with a reply token (free, once, within a minute of the webhook)."""
        ...

    async def loading(self, *, line_user_id: str, seconds: int) -> bool:
        """Show that an answer is being written, until it comes; whether LINE took it. Never raises.

        Args:
            seconds: 5 to 60, in steps of five.
        """
        ...

    async def profile(self, line_user_id: str) -> LineProfile | None:
        """The user's profile; None when LINE has none for us."""
        ...

    async def basic_id(self) -> str:
        """The account's @id, for links that open its chat.

        Raises:
            Unavailable: LINE did not answer.
        """
        ...

    async def bot_user_id(self) -> str:
        """The account's own user id: the `destination` of its webhooks.

        Raises:
            Unavailable: LINE did not answer.
        """
        ...

    async def content(self, message_id: str, *, at_most: int) -> Content | None:
        """What a customer sent; None: LINE has it no more.

        Raises:
            Unavailable: it is still being prepared, or LINE did not answer.
        """
        ...

    async def link_token(self, line_user_id: str) -> str | None:
        """A token for the account-link dialog (10 minutes, once); None: LINE has none for this user.

        Raises:
            Unavailable: LINE did not answer.
        """
        ...

    async def leave(self, kind: str, group_id: str) -> bool:
        """Leave a `group` or `room`; False: the account was not in it.

        Raises:
            Unavailable: LINE did not answer.
        """
        ...


# --- Slack --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message of ours stands in Slack."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffProfile:
    """A person in Slack. `language` is "ja" or "en", from their locale."""

    slack_user_id: str
    name: str
    language: str
    timezone: str | None
    team_id: str | None
    is_allowed: bool
    """A full, active member of our own workspace: no guest, no bot, no outsider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackFile:
    """A file that somebody uploaded to Slack. `content` None: larger than was asked for, or not there."""

    slack_file_id: str
    name: str
    content_type: str
    size: int
    uploaded_by: str
    content: bytes | None = None


class Slack(Protocol):
    """Staff's side. Every method raises Unavailable (try again) or Refused (never will work)."""

    async def post(
        self,
        *,
        channel: str,
        text: str,
        blocks: Sequence[Json],
        thread_ts: str | None = None,
        key: UUID,
    ) -> Posted:
        """Post once; `key` goes into the metadata so that an unknown outcome can be looked up."""
        ...

    async def find(
        self, *, channel: str, key: UUID, since: datetime, thread_ts: str | None = None
    ) -> Posted | None:
        """The message posted earlier with this key, if it got through."""
        ...

    async def update(self, *, channel: str, ts: str, text: str, blocks: Sequence[Json]) -> None:
        """Rewrite a message of ours."""
        ...

    async def whisper(
        self,
        *,
        channel: str,
        slack_user_id: str,
        text: str,
        thread_ts: str | None = None,
        blocks: Sequence[Json] = (),
    ) -> None:
        """Say something that only this person sees."""
        ...

    async def open_view(self, *, trigger_id: str, view: Mapping[str, Any]) -> str:
        """Open a modal within three seconds of the person's action; its id."""
        ...

    async def update_view(self, *, view_id: str, view_hash: str | None, view: Mapping[str, Any]) -> None:
        """Change an open modal, unless it changed since `view_hash`."""
        ...

    async def upload(self, *, name: str, content: bytes) -> str:
        """Bring a file to Slack, shown to nobody yet; its id."""
        ...

    async def share(self, *, slack_file_id: str, channel: str, thread_ts: str | None, title: str) -> None:
        """Show an uploaded file in a thread. Ask `shared` before doing it again."""
        ...

    async def shared(self, *, slack_file_id: str, channel: str) -> Posted | None:
        """Where the file stands in this channel, if it does."""
        ...

    async def remove_file(self, *, slack_file_id: str) -> None:
        """Delete a file of ours from Slack."""
        ...

    async def file(self, slack_file_id: str, *, at_most: int) -> SlackFile:
        """A file people uploaded, with its content up to so many bytes."""
        ...

    async def publish_home(
        self, *, slack_user_id: str, view: Mapping[str, Any], view_hash: str | None = None
    ) -> str | None:
        """Show this person's App Home; its hash. None: what stands there is not what `view_hash` names."""
        ...

    async def link_to(self, *, channel: str, ts: str) -> str | None:
        """Where a message can be opened in a browser or in Slack."""
        ...

    async def profile(self, slack_user_id: str) -> StaffProfile:
        """Who this is (cached for minutes)."""
        ...

    async def team_id(self) -> str:
        """Our own workspace."""
        ...

    async def members_of(self, group_id: str) -> frozenset[str]:
        """The members of a user group (cached for minutes)."""
        ...


# --- the model ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidLine:
    """One line of the conversation as the drafter sees it; personal data already replaced by tokens."""

    speaker: str
    """`customer` or `us`."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRequest:
    """What a drafter may know."""

    language: str
    lines: tuple[SaidLine, ...]
    reasons: tuple[str, ...]
    wish: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftText:
    """One proposed reply. `source`: `model` or `template`."""

    text: str
    source: str


class Drafter(Protocol):
    """Proposes replies. Never raises: without a key or an answer it falls back to templates."""

    async def draft(self, request: DraftRequest) -> tuple[DraftText, ...]:
        """One to three replies."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPassage:
    """One passage of the knowledge, as the model may read it."""

    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerText:
    """What the model wrote from the passages, and which of them it says it used."""

    text: str
    source: str


class Answerer(Protocol):
    """Reads questions and writes answers with a model. Never raises: None where there is no usable answer."""

    async def intent(self, text: str, *, language: str) -> str | None:
        """`question`, `interest`, `complaint`, `wish` or `other`; personal data in `text` is hidden."""
        ...

    async def answer(
        self, question: str, *, language: str, passages: Sequence[KnownPassage]
    ) -> AnswerText | None:
        """An answer from these passages, unchecked; an empty text: they do not answer it."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]] | None:
        """The embeddings of these texts; None where none are configured."""
        ...

    @property
    def embedding_model(self) -> str | None:
        """Which model embeds; None: none is configured."""
        ...


# --- work ---------------------------------------------------------------------------------------------


class Waker(Protocol):
    """Says that there is work; a lost or repeated wake is harmless."""

    async def wake(self, story: str) -> None:
        """`receive`, `decide`, `deliver`, `post`, `press` … Called after the commit that made the work."""
        ...
