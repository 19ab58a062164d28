"""How are messages posted, updated and deleted?"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.slack.limits import Problem, validate_message
from bot.slack.limits.walk import found
from sandbox.slack.api.access import channel_for, may_post, own_message
from sandbox.slack.calls import Call, Refused, invalid_arguments, method, refuse
from sandbox.slack.elements import Json, carried_state, with_ids
from sandbox.slack.state import SlackState
from sandbox.slack.workspace import Channel, Message

CUT_AT = 40_000
"""chat.postMessage cuts longer texts, in characters."""
_WIRE_ONLY = frozenset({"token", "team_id", "client_msg_id"})


@method("chat.postMessage", "chat:write")
def post_message(slack: SlackState, call: Call) -> Json:
    channel = _destination(slack, str(call.required("channel")))
    may_post(slack, channel)
    checked(slack, call)
    parent = _parent(channel, call)
    message = Message(
        channel=channel.id,
        ts=slack.workspace.new_ts(),
        user=slack.workspace.bot.id,
        bot_id=slack.workspace.bot_id,
        thread_ts=parent.ts if parent else None,
        is_broadcast=call.truth("reply_broadcast"),
        username=call.text("username"),
    )
    _write(slack, message, call)
    channel.messages.append(message)
    slack.posted("", message)
    return {"channel": channel.id, "ts": message.ts, "message": slack.message_json(message)}


@method("chat.update", "chat:write", tier=3)
def update(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    call.required("ts")
    message = own_message(slack, channel, call.text("ts"), "cant_update_message")
    if channel.is_archived:
        raise Refused("is_inactive")
    checked(slack, call)
    _write(slack, message, call)
    message.edited_ts = None if message.blocks else slack.workspace.new_ts()
    slack.posted("message_changed", message)
    answered = {"text": message.text, "message": slack.message_json(message)}
    return {"channel": channel.id, "ts": message.ts, **answered}


@method("chat.postEphemeral", "chat:write", tier=4)
def post_ephemeral(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    may_post(slack, channel)
    user = str(call.required("user"))
    if user not in slack.workspace.members_of(channel):
        raise Refused("user_not_in_channel")
    checked(slack, call)
    parent = _parent(channel, call)
    message = Message(
        channel=channel.id,
        ts=slack.workspace.new_ts(),
        user=slack.workspace.bot.id,
        bot_id=slack.workspace.bot_id,
        thread_ts=parent.ts if parent else None,
        seen_only_by=user,
    )
    _write(slack, message, call)
    slack.workspace.ephemerals.append(message)
    return {"message_ts": message.ts}


@method("chat.delete", "chat:write", tier=3)
def delete(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    call.required("ts")
    message = own_message(slack, channel, call.text("ts"), "cant_delete_message")
    channel.remove(message)
    slack.posted("message_deleted", message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
def get_permalink(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    message = channel.message(call.required("message_ts"))
    if message is None:
        raise Refused("message_not_found")
    link = f"https://sandbox.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def checked(slack: SlackState, call: Call) -> None:
    """Refuse what Slack would refuse of a message's own arguments."""
    given = {key: value for key, value in call.arguments.items() if key not in _WIRE_ONLY}
    for flag in ("reply_broadcast", "unfurl_links", "unfurl_media", "mrkdwn", "link_names", "as_user"):
        if flag in given:
            given[flag] = call.truth(flag)
    problems = validate_message(given)
    if call.method != "chat.update":
        problems = [each for each in problems if (each.pointer, each.error) != ("/text", "msg_too_long")]
    if "message_ts" in given:
        raise invalid_arguments("unknown argument: message_ts")
    refuse(problems + list(unready_files(slack, call.arguments.get("blocks"))))
    if call.text("username") and "chat:write.customize" not in slack.scopes:
        raise Refused("missing_scope", needed="chat:write.customize", provided=",".join(slack.scopes))


def unready_files(slack: SlackState, blocks: object) -> Iterator[Problem]:
    """Images in blocks that point to files which are not there, or not yet."""
    for pointer, reference in found(blocks, "slack_file", "/blocks"):
        if not isinstance(reference, Mapping):
            continue
        stored = slack.workspace.files.get(str(reference.get("id", "")))
        if "url" in reference:
            stored = next(
                (each for each in slack.workspace.files.values() if each.id in str(reference["url"])), None
            )
        if stored is None or stored.ready_at is None or stored.ready_at > slack.clock():
            yield Problem(pointer, "invalid slack file")


def _destination(slack: SlackState, wanted: str) -> Channel:
    member = slack.workspace.members.get(wanted)
    if member is None:
        return channel_for(slack, wanted)
    if member.deleted or member.is_bot:
        raise Refused("channel_not_found")
    return slack.workspace.direct_message(wanted)


def _parent(channel: Channel, call: Call) -> Message | None:
    thread_ts = call.text("thread_ts")
    if thread_ts is None:
        return None
    parent = channel.message(thread_ts)
    if parent is None:
        raise Refused("thread_not_found")
    if parent.is_reply:
        raise Refused("cannot_reply_to_message")
    return parent


def _write(slack: SlackState, message: Message, call: Call) -> None:
    """Put text, blocks and metadata of a call on a message, as Slack stores them."""
    arguments: Mapping[str, Any] = call.arguments
    markdown = arguments.get("markdown_text")
    blocks = [{"type": "markdown", "text": markdown}] if markdown else arguments.get("blocks") or []
    if blocks or "text" in arguments:
        message.blocks = with_ids(list(blocks), slack.workspace.new_block_id)
    message.text = str(arguments.get("text", message.text if call.method == "chat.update" else ""))[:CUT_AT]
    if "attachments" in arguments:
        message.attachments = list(arguments["attachments"])
    if "metadata" in arguments:
        message.metadata = arguments["metadata"] or None
    message.state = carried_state(message.blocks, message.state)
