"""May the bot see this conversation, write in it, change this message?"""

from sandbox.slack.calls import Refused
from sandbox.slack.state import SlackState
from sandbox.slack.workspace import Channel, Message

SCOPE_OF = {"public": "channels", "private": "groups", "im": "im"}


def channel_for(slack: SlackState, wanted: str) -> Channel:
    """The conversation, if the bot can know of it: a private one it is not in does not exist for it."""
    try:
        channel = slack.workspace.channel(wanted)
    except KeyError:
        raise Refused("channel_not_found") from None
    if channel.kind == "private" and not channel.has_bot:
        raise Refused("channel_not_found")
    return channel


def may_read(slack: SlackState, channel: Channel, what: str) -> None:
    """Refuse without `channels:history`, `groups:read`… for this kind of conversation."""
    require(slack, f"{SCOPE_OF[channel.kind]}:{what}")


def may_post(slack: SlackState, channel: Channel) -> None:
    archived_refused(channel)
    if not channel.has_bot and "chat:write.public" not in slack.scopes:
        raise Refused("not_in_channel")


def archived_refused(channel: Channel) -> None:
    if channel.is_archived:
        raise Refused("is_archived")


def member_only(channel: Channel) -> None:
    if not channel.has_bot:
        raise Refused("not_in_channel")


def require(slack: SlackState, scope: str) -> None:
    if scope not in slack.scopes:
        raise Refused("missing_scope", needed=scope, provided=",".join(slack.scopes))


def own_message(slack: SlackState, channel: Channel, ts: str | None, not_own: str) -> Message:
    """A message the bot wrote; refused with `not_own` when somebody else did."""
    message = channel.message(ts)
    if message is None or message.is_deleted:
        raise Refused("message_not_found")
    if message.bot_id != slack.workspace.bot_id:
        raise Refused(not_own)
    return message
