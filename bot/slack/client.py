"""How do our messages reach Slack, once each, and who are the people there?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from bot.clock import Clock
from bot.errors import Misconfigured, Unavailable
from bot.ports import Json, Posted, StaffProfile
from bot.settings import Settings
from bot.slack.calls import Calls, SlackRefused
from bot.slack.files import Files
from bot.slack.limits import validate_message, validate_view
from bot.slack.overview.charts import has_chart, without_charts

log = structlog.get_logger()

SLACK_API = "https://slack.com/api/"
REMEMBERED = timedelta(minutes=5)
"""How long profiles, groups and channels are believed: an ex-member's press is refused this soon."""
EVENT_TYPE = "yorisoi_post"
FIND_MARGIN = timedelta(minutes=5)
"""How far Slack's clock may be behind ours."""
FIND_PAGES = 10
PLAIN_CHARACTERS = 3_000

_SHAPE = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are in Slack, and what we may do."""

    team_id: str
    bot_user_id: str
    bot_id: str
    scopes: frozenset[str]
    url: str = ""


class _Remembered(Generic[Kept]):
    """Answers that are believed for a while."""

    def __init__(self, clock: Clock, *, at_most: int = 5_000) -> None:
        self._clock = clock
        self._at_most = at_most
        self._known: dict[str, tuple[datetime, Kept]] = {}

    def get(self, key: str) -> Kept | None:
        until, kept = self._known.get(key, (None, None))
        return kept if until is not None and self._clock.now() < until else None

    def put(self, key: str, kept: Kept) -> Kept:
        if len(self._known) >= self._at_most:
            self._known.clear()
        self._known[key] = (self._clock.now() + REMEMBERED, kept)
        return kept


class SlackClient(Files, Calls):
    """The port `bot.ports.Slack` over slack_sdk.

    Unavailable with `retry_after` means that Slack took nothing; without, that nobody knows.
    """

    def __init__(self, *, token: str, clock: Clock, base_url: str | None = None) -> None:
        """Prepare; nothing is asked of Slack yet. `base_url` ends before the method's name."""
        super().__init__(token=token, address=base_url or SLACK_API)
        self._profiles = _Remembered[StaffProfile](clock)
        self._groups = _Remembered[frozenset[str]](clock)
        self._channels = _Remembered[Json](clock)
        self._identity: Identity | None = None

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> SlackClient:
        """The client for this program's workspace.

        Raises:
            Misconfigured: there is no bot token.
        """
        if settings.slack_bot_token is None:
            raise Misconfigured("Slack is not configured. Set SLACK_BOT_TOKEN (xoxb-…) from your Slack app.")
        return cls(
            token=settings.slack_bot_token.get_secret_value(),
            clock=clock,
            base_url=settings.slack_api_base_url,
        )

    # --- messages -------------------------------------------------------------------------------------

    async def post(
        self, *, channel: str, text: str, blocks: Sequence[Json], thread_ts: str | None = None, key: UUID
    ) -> Posted:
        """Post once; `key` goes into the metadata.

        Raises:
            Unavailable: see the class.
            Refused: also when the channel is archived or shared with another organisation.
        """
        await self._check_channel(channel)
        message: Json = {
            "channel": channel,
            "text": text,
            "blocks": list(blocks),
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": str(key)}},
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread_ts is not None:
            message["thread_ts"] = thread_ts
        answer = await self._say("chat.postMessage", message)
        return Posted(channel=str(answer["channel"]), ts=str(answer["ts"]))

    async def update(self, *, channel: str, ts: str, text: str, blocks: Sequence[Json]) -> None:
        """Rewrite a message of ours; its metadata stays."""
        await self._say("chat.update", {"channel": channel, "ts": ts, "text": text, "blocks": list(blocks)})

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
        message: Json = {"channel": channel, "user": slack_user_id, "text": text}
        if blocks:
            message["blocks"] = list(blocks)
        if thread_ts is not None:
            message["thread_ts"] = thread_ts
        await self._say("chat.postEphemeral", message)

    async def find(
        self, *, channel: str, key: UUID, since: datetime, thread_ts: str | None = None
    ) -> Posted | None:
        """The message posted earlier with this key, if it got through."""
        oldest = f"{(since - FIND_MARGIN).timestamp():.6f}"
        cursor = ""
        for _ in range(FIND_PAGES):
            asked: Json = {
                "channel": channel,
                "oldest": oldest,
                "include_all_metadata": True,
                "limit": 200,
                **({"cursor": cursor} if cursor else {}),
            }
            page = await self._answer(
                self._reading.conversations_history(**asked)
                if thread_ts is None
                else self._reading.conversations_replies(ts=thread_ts, **asked),
                "conversations.history",
            )
            for message in page.get("messages") or []:
                metadata = message.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == str(key):
                    return Posted(channel=channel, ts=str(message["ts"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        raise Unavailable("more messages in Slack than were looked through", retry_after=60.0)

    async def _say(self, method: str, message: Json) -> Mapping[str, Any]:
        """Send a message; one that Slack would refuse goes out as plain text instead of not at all."""
        if problems := validate_message(message):
            places = [each.pointer for each in problems[:5]]
            log.error("slack.message_invalid", method=method, places=places)
            message = _plain(message)
        try:
            return await self._answer(self._once.api_call(method, json=message), method)
        except SlackRefused as refused:
            if refused.code not in _SHAPE or not message.get("blocks"):
                raise
            if has_chart(message["blocks"]):
                log.warning("slack.chart_refused", method=method)
                return await self._say(method, {**message, "blocks": without_charts(message["blocks"])})
            log.warning("slack.message_invalid", method=method, code=refused.code)
            return await self._answer(self._once.api_call(method, json=_plain(message)), method)

    async def _check_channel(self, channel: str) -> None:
        """Refuse where outsiders would read along, or nobody would."""
        if not channel.startswith(("C", "G")):
            return
        known = self._channels.get(channel)
        if known is None:
            answer = await self._answer(
                self._reading.conversations_info(channel=channel), "conversations.info"
            )
            known = self._channels.put(channel, dict(answer["channel"]))
        if known.get("is_archived"):
            raise SlackRefused("is_archived", method="conversations.info")
        if known.get("is_ext_shared"):
            raise SlackRefused("is_ext_shared", method="conversations.info")

    # --- views ----------------------------------------------------------------------------------------

    async def open_view(self, *, trigger_id: str, view: Mapping[str, Any]) -> str:
        """Open a modal within three seconds of the person's action; its id."""
        shown = _valid_view(view)
        answer = await self._answer(
            self._once.api_call("views.open", json={"trigger_id": trigger_id, "view": shown}), "views.open"
        )
        return str((answer.get("view") or {}).get("id") or "")

    async def update_view(self, *, view_id: str, view_hash: str | None, view: Mapping[str, Any]) -> None:
        """Change an open modal; one that changed since `view_hash`, or was closed, stays as it is."""
        asked: Json = {"view_id": view_id, "view": _valid_view(view)}
        if view_hash:
            asked["hash"] = view_hash
        try:
            await self._answer(self._once.api_call("views.update", json=asked), "views.update")
        except SlackRefused as refused:
            if refused.code not in {"hash_conflict", "not_found"}:
                raise

    async def publish_home(
        self, *, slack_user_id: str, view: Mapping[str, Any], view_hash: str | None = None
    ) -> str | None:
        """Show this person's App Home; its hash. None: what stands there is not what `view_hash` names."""
        asked: Json = {"user_id": slack_user_id, "view": _valid_view(view)}
        if view_hash:
            asked["hash"] = view_hash
        try:
            answer = await self._answer(self._once.api_call("views.publish", json=asked), "views.publish")
        except SlackRefused as refused:
            if refused.code != "hash_conflict":
                raise
            return None
        return str((answer.get("view") or {}).get("hash") or "")

    # --- people ---------------------------------------------------------------------------------------

    async def identity(self) -> Identity:
        """Who we are; asked of Slack once."""
        if self._identity is None:
            answer = await self._response(self._reading.auth_test(), "auth.test")
            headers = {name.lower(): value for name, value in answer.headers.items()}
            granted = headers.get("x-oauth-scopes", "")
            self._identity = Identity(
                team_id=str(answer["team_id"]),
                bot_user_id=str(answer["user_id"]),
                bot_id=str(answer.get("bot_id") or ""),
                url=str(answer.get("url") or ""),
                scopes=frozenset(each.strip() for each in granted.split(",") if each.strip()),
            )
        return self._identity

    async def team_id(self) -> str:
        """Our own workspace."""
        return (await self.identity()).team_id

    async def link_to(self, *, channel: str, ts: str) -> str | None:
        """Where a message can be opened; the form that `chat.getPermalink` answers, made without asking."""
        url = (await self.identity()).url
        return f"{url}archives/{channel}/p{ts.replace('.', '')}" if url.startswith("https://") else None

    async def profile(self, slack_user_id: str) -> StaffProfile:
        """Who this is; somebody whom Slack does not show us is allowed nothing."""
        known = self._profiles.get(slack_user_id)
        if known is not None:
            return known
        own_team = await self.team_id()
        try:
            answer = await self._answer(
                self._reading.users_info(user=slack_user_id, include_locale=True), "users.info"
            )
        except SlackRefused as refused:
            if refused.code not in {"user_not_found", "user_not_visible"}:
                raise
            return self._profiles.put(slack_user_id, _stranger(slack_user_id))
        return self._profiles.put(slack_user_id, _profile_of(answer["user"], own_team))

    async def members_of(self, group_id: str) -> frozenset[str]:
        """The members of a user group."""
        known = self._groups.get(group_id)
        if known is not None:
            return known
        answer = await self._answer(
            self._reading.usergroups_users_list(usergroup=group_id), "usergroups.users.list"
        )
        return self._groups.put(group_id, frozenset(map(str, answer.get("users") or ())))


def _plain(message: Json) -> Json:
    """The same as bare text: nothing in it can be refused for its shape."""
    text = str(message.get("text") or "")[:PLAIN_CHARACTERS] or "(表示できない内容です / cannot be shown)"
    kept = {key: value for key, value in message.items() if key != "blocks" and value is not None}
    return {**kept, "text": text, **({"blocks": []} if "ts" in message else {})}


def _valid_view(view: Mapping[str, Any]) -> Mapping[str, Any]:
    problems = validate_view(view)
    if not problems:
        return view
    log.error("slack.view_invalid", places=[each.pointer for each in problems[:5]])
    text = {"type": "plain_text", "text": "表示できませんでした。 / This could not be shown."}
    blocks = [{"type": "section", "text": text}]
    if view.get("type") == "home":
        return {"type": "home", "blocks": blocks}
    return {"type": "modal", "title": {"type": "plain_text", "text": "Yorisoi"}, "blocks": blocks}


def _stranger(slack_user_id: str) -> StaffProfile:
    return StaffProfile(
        slack_user_id=slack_user_id,
        name=slack_user_id,
        language="ja",
        timezone=None,
        team_id=None,
        is_allowed=False,
    )


def _profile_of(user: Mapping[str, Any], own_team: str) -> StaffProfile:
    shown = user.get("profile") or {}
    locale = str(user.get("locale") or "ja-JP")
    is_outside = any(
        user.get(flag)
        for flag in (
            "deleted",
            "is_bot",
            "is_restricted",
            "is_ultra_restricted",
            "is_stranger",
            "is_workflow_bot",
        )
    )
    return StaffProfile(
        slack_user_id=str(user["id"]),
        name=str(user.get("real_name") or shown.get("real_name") or shown.get("display_name") or user["id"]),
        language="ja" if locale.lower().startswith("ja") else "en",
        timezone=user.get("tz") or None,
        team_id=user.get("team_id") or None,
        is_allowed=not is_outside and user.get("team_id") == own_team,
    )
