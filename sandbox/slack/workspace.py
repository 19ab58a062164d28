"""What is in the sandbox's Slack workspace: members, channels, messages, groups, files?"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from sandbox.slack.elements import Json, State, elements_of
from sandbox.slack.rendering import label, plain_text

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Button(NamedTuple):
    """An element people can act on, as seen in a message or view."""

    action_id: str
    label: str
    block_id: str
    kind: str
    value: str | None


@dataclass(kw_only=True)
class Member:
    """A person or bot of the workspace, or of another one in a shared channel (then `team_id` differs)."""

    id: str
    name: str
    real_name: str
    team_id: str
    locale: str = "ja-JP"
    tz: str = "Asia/Tokyo"
    email: str | None = None
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_admin: bool = False
    is_bot: bool = False
    bot_id: str | None = None
    deleted: bool = False


@dataclass(kw_only=True)
class UserGroup:
    id: str
    handle: str
    member_ids: list[str]


@dataclass(kw_only=True)
class Message:
    """One message; `seen_only_by` is set on ephemeral ones, `thread_ts` is the parent's ts on replies.

    A deleted parent stays as a tombstone while it has replies (`is_deleted`).
    """

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    is_broadcast: bool = False
    bot_id: str | None = None
    username: str | None = None
    metadata: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)
    edited_ts: str | None = None
    seen_only_by: str | None = None
    is_deleted: bool = False
    state: State = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def plain_text(self) -> str:
        """What a person reads: the blocks where there are some, otherwise the text."""
        parts = [plain_text(self.blocks, self.state) if self.blocks else self.text]
        parts += [plain_text(each.get("blocks", [])) or each.get("text", "") for each in self.attachments]
        parts += [f"(file: {each['name']})" for each in self.files]
        return "\n".join(part for part in parts if part)

    def buttons(self) -> list[Button]:
        return buttons_of(self.blocks)


def buttons_of(blocks: list[Json]) -> list[Button]:
    """Every element of these blocks that people can act on, in reading order."""
    return [
        Button(each.action_id, label(each.element), each.block_id, each.kind, each.element.get("value"))
        for each in elements_of(blocks)
    ]


@dataclass(kw_only=True)
class Channel:
    """A conversation; `member_ids` of None means everyone of the workspace, now and later."""

    id: str
    name: str
    kind: Literal["public", "private", "im"]
    is_archived: bool = False
    is_ext_shared: bool = False
    has_bot: bool = True
    member_ids: list[str] | None = None
    partner: str | None = None
    messages: list[Message] = field(default_factory=list)

    def message(self, ts: object) -> Message | None:
        return next((each for each in self.messages if each.ts == ts), None)

    def remove(self, message: Message) -> None:
        """Take a message away; of a parent with replies a tombstone is left, as in Slack."""
        if not self.replies(message.ts):
            self.messages.remove(message)
            return
        message.is_deleted = True
        message.text, message.blocks, message.attachments, message.files = (
            "This message was deleted.",
            [],
            [],
            [],
        )
        message.metadata, message.state, message.reactions = None, {}, {}

    def replies(self, ts: str) -> list[Message]:
        return [each for each in self.messages if each.is_reply and each.thread_ts == ts]


@dataclass(kw_only=True)
class StoredFile:
    """An uploaded file; it can be used in blocks from `ready_at` on."""

    id: str
    name: str
    title: str
    mimetype: str
    content: bytes
    declared: int
    user: str
    is_received: bool = False
    ready_at: datetime | None = None
    shares: list[tuple[str, str]] = field(default_factory=list)


class Workspace:
    """The state of one workspace with our bot in it. Every moment comes from `clock`."""

    def __init__(self, *, clock: Callable[[], datetime], team_id: str, bot_name: str) -> None:
        self.clock = clock
        self.team_id = team_id
        self.app_id = "A0SANDBOX01"
        self.members: dict[str, Member] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, UserGroup] = {}
        self.files: dict[str, StoredFile] = {}
        self.ephemerals: list[Message] = []
        self._counts: dict[str, int] = {}
        self._last_microsecond = 0
        self.bot_id = self.new_id("B")
        self.bot = Member(
            id=self.new_id("U"),
            name=bot_name,
            real_name=bot_name,
            team_id=team_id,
            is_bot=True,
            bot_id=self.bot_id,
            tz="Etc/UTC",
        )
        self.members[self.bot.id] = self.bot

    def count(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]

    def new_id(self, prefix: str) -> str:
        """An id that looks like Slack's and is the same in every run: prefix and ten characters."""
        number = (self.count(prefix) * 2_654_435_761 + ord(prefix[0]) * 97_531) % 36**8
        written = ""
        for _ in range(8):
            number, digit = divmod(number, 36)
            written = DIGITS[digit] + written
        return f"{prefix}08{written}"

    def new_ts(self) -> str:
        """The present as a ts, `1732233600.000123`, later than every one before."""
        now = self.clock()
        microsecond = int(now.timestamp()) * 1_000_000 + now.microsecond
        self._last_microsecond = max(microsecond, self._last_microsecond + 100)
        seconds, fraction = divmod(self._last_microsecond, 1_000_000)
        return f"{seconds}.{fraction:06d}"

    def new_block_id(self) -> str:
        return self.new_id("b")[3:]

    def channel(self, id_or_name: str) -> Channel:
        """The channel with this id or name (with or without `#`). Raises KeyError."""
        if id_or_name in self.channels:
            return self.channels[id_or_name]
        name = id_or_name.removeprefix("#")
        for channel in self.channels.values():
            if channel.name == name and channel.kind != "im":
                return channel
        raise KeyError(f"no channel {id_or_name!r}")

    def direct_message(self, user_id: str) -> Channel:
        """The bot's direct message with a member, opened if need be."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.partner == user_id:
                return channel
        return self._keep(
            Channel(
                id=self.new_id("D"),
                name=f"dm-{self.members[user_id].name}",
                kind="im",
                partner=user_id,
                member_ids=[user_id, self.bot.id],
            )
        )

    def members_of(self, channel: Channel) -> list[str]:
        if channel.member_ids is not None:
            return channel.member_ids
        people = [each.id for each in self.members.values() if self._could_be_in(channel, each)]
        return [*people, self.bot.id] if channel.has_bot else people

    def _could_be_in(self, channel: Channel, member: Member) -> bool:
        """People of other workspaces are in shared channels only, and the bot is counted apart."""
        if member.deleted or member is self.bot:
            return False
        return member.team_id == self.team_id or channel.is_ext_shared

    def everything_posted(self) -> Iterator[Message]:
        for channel in self.channels.values():
            yield from channel.messages
        yield from self.ephemerals

    def add_member(
        self,
        name: str,
        *,
        real_name: str | None = None,
        locale: str = "ja-JP",
        tz: str = "Asia/Tokyo",
        groups: Iterable[str] = (),
        email: str | None = None,
        is_restricted: bool = False,
        is_ultra_restricted: bool = False,
        is_bot: bool = False,
        deleted: bool = False,
        team_id: str | None = None,
    ) -> str:
        """A new member; `groups` are user group ids or handles to join. Returns the U-id."""
        member = Member(
            id=self.new_id("U"),
            name=name,
            real_name=real_name or name,
            team_id=team_id or self.team_id,
            locale=locale,
            tz=tz,
            email=email or f"{name}@example.com",
            is_restricted=is_restricted,
            is_ultra_restricted=is_ultra_restricted,
            is_bot=is_bot,
            bot_id=self.new_id("B") if is_bot else None,
            deleted=deleted,
        )
        self.members[member.id] = member
        for wanted in groups:
            self.group(wanted).member_ids.append(member.id)
        return member.id

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        archived: bool = False,
        ext_shared: bool = False,
        bot_member: bool = True,
        members: Iterable[str] | None = None,
    ) -> str:
        """A new channel with these people in it, everyone by default. Returns the C-id."""
        ids = None if members is None else [*members, *([self.bot.id] if bot_member else [])]
        channel = Channel(
            id=self.new_id("C"),
            name=name,
            kind="private" if private else "public",
            is_archived=archived,
            is_ext_shared=ext_shared,
            has_bot=bot_member,
            member_ids=ids,
        )
        return self._keep(channel).id

    def add_user_group(self, handle: str, members: Iterable[str] = ()) -> str:
        """A new user group. Returns the S-id."""
        group = UserGroup(id=self.new_id("S"), handle=handle, member_ids=list(members))
        self.groups[group.id] = group
        return group.id

    def group(self, id_or_handle: str) -> UserGroup:
        for group in self.groups.values():
            if id_or_handle in (group.id, group.handle):
                return group
        raise KeyError(f"no user group {id_or_handle!r}")

    def _keep(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        return channel
