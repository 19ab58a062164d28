"""Which conversations are there, who is in them, what was said?"""

from sandbox.slack.api.access import SCOPE_OF, archived_refused, channel_for, may_read, member_only, require
from sandbox.slack.calls import Call, Refused, invalid_arguments, method, page
from sandbox.slack.elements import Json
from sandbox.slack.state import SlackState
from sandbox.slack.workspace import Channel, Message

KINDS = {"public_channel": "public", "private_channel": "private", "im": "im"}


@method("conversations.info", tier=3)
def info(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    may_read(slack, channel, "read")
    return {"channel": channel_json(slack, channel)}


@method("conversations.list", tier=2)
def list_(slack: SlackState, call: Call) -> Json:
    types = (call.text("types") or "public_channel").replace(" ", "").split(",")
    if unknown := [each for each in types if each not in {*KINDS, "mpim"}]:
        raise invalid_arguments(f"invalid type: {unknown[0]}")
    wanted = {KINDS[each] for each in types if each in KINDS}
    for kind in sorted(wanted):
        require(slack, f"{SCOPE_OF[kind]}:read")
    seen = [
        channel
        for channel in slack.workspace.channels.values()
        if channel.kind in wanted
        and (channel.kind != "private" or channel.has_bot)
        and not (call.truth("exclude_archived") and channel.is_archived)
    ]
    shown, cursor = page(seen, call, default=100, most=1000)
    listed = [channel_json(slack, channel) for channel in shown]
    return {"channels": listed, "response_metadata": {"next_cursor": cursor}}


@method("conversations.members", tier=4)
def members(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    may_read(slack, channel, "read")
    shown, cursor = page(slack.workspace.members_of(channel), call, default=100, most=1000)
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


@method("conversations.history", tier=3)
def history(slack: SlackState, call: Call) -> Json:
    channel = _readable(slack, call)
    said = [each for each in channel.messages if not each.is_reply or each.is_broadcast]
    shown, cursor = page(_between(said, call)[::-1], call, default=100, most=999)
    return _messages(slack, call, shown, cursor)


@method("conversations.replies", tier=3)
def replies(slack: SlackState, call: Call) -> Json:
    channel = _readable(slack, call)
    parent = channel.message(call.required("ts"))
    if parent is None:
        raise Refused("thread_not_found")
    root = parent if not parent.is_reply else channel.message(parent.thread_ts)
    said = [] if root is None else _between(channel.replies(root.ts), call)
    shown, cursor = page([root, *said] if root else said, call, default=1000, most=1000)
    return _messages(slack, call, shown, cursor)


@method("conversations.join", "channels:join", tier=3)
def join(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    if channel.kind != "public":
        raise Refused("method_not_supported_for_channel_type")
    archived_refused(channel)
    channel.has_bot = True
    bot = slack.workspace.bot.id
    if channel.member_ids is not None and bot not in channel.member_ids:
        channel.member_ids.append(bot)
    return {"channel": channel_json(slack, channel)}


@method("conversations.open", "im:write", tier=3)
def open_(slack: SlackState, call: Call) -> Json:
    users = str(call.required("users")).split(",")
    if len(users) != 1:
        raise Refused("missing_scope", needed="mpim:write", provided=",".join(slack.scopes))
    member = slack.workspace.members.get(users[0])
    if member is None:
        raise Refused("user_not_found")
    if member.deleted:
        raise Refused("user_disabled")
    channel = slack.workspace.direct_message(member.id)
    return {"channel": channel_json(slack, channel) if call.truth("return_im") else {"id": channel.id}}


def channel_json(slack: SlackState, channel: Channel) -> Json:
    """A conversation as the API describes it."""
    common: Json = {
        "id": channel.id,
        "is_im": channel.kind == "im",
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_ext_shared,
        "is_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_frozen": False,
        "context_team_id": slack.workspace.team_id,
    }
    if channel.kind == "im":
        return {**common, "user": channel.partner, "is_open": True}
    return {
        **common,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_mpim": False,
        "is_private": channel.kind == "private",
        "is_member": channel.has_bot,
        "is_general": False,
        "num_members": len(slack.workspace.members_of(channel)),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def _readable(slack: SlackState, call: Call) -> Channel:
    channel = channel_for(slack, str(call.required("channel")))
    may_read(slack, channel, "history")
    member_only(channel)
    return channel


def _between(messages: list[Message], call: Call) -> list[Message]:
    """Those from `oldest` to `latest`, the ends themselves only with `inclusive`."""
    oldest, latest = _ts(call, "oldest", "0"), _ts(call, "latest", "9999999999")
    ends = call.truth("inclusive")
    return [
        each
        for each in messages
        if oldest < float(each.ts) < latest or (ends and float(each.ts) in (oldest, latest))
    ]


def _ts(call: Call, name: str, default: str) -> float:
    try:
        return float(call.text(name) or default)
    except ValueError:
        raise Refused(f"invalid_ts_{name}") from None


def _messages(slack: SlackState, call: Call, shown: list[Message], cursor: str) -> Json:
    full = call.truth("include_all_metadata")
    answer: Json = {
        "messages": [slack.message_json(each, with_payload=full) for each in shown],
        "has_more": bool(cursor),
    }
    return {**answer, "response_metadata": {"next_cursor": cursor}} if cursor else answer
