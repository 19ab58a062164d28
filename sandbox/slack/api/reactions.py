"""Who reacted to a message, and with which emoji?"""

import re

from sandbox.slack.api.access import channel_for, member_only
from sandbox.slack.calls import Call, Refused, method
from sandbox.slack.elements import Json
from sandbox.slack.state import SlackState
from sandbox.slack.workspace import Message

NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


@method("reactions.add", "reactions:write", tier=3)
def add(slack: SlackState, call: Call) -> Json:
    name, message = _reaction(slack, call)
    users = message.reactions.setdefault(name, [])
    if slack.workspace.bot.id in users:
        raise Refused("already_reacted")
    users.append(slack.workspace.bot.id)
    return {}


@method("reactions.remove", "reactions:write", tier=2)
def remove(slack: SlackState, call: Call) -> Json:
    name, message = _reaction(slack, call)
    users = message.reactions.get(name, [])
    if slack.workspace.bot.id not in users:
        raise Refused("no_reaction")
    users.remove(slack.workspace.bot.id)
    if not users:
        del message.reactions[name]
    return {}


@method("reactions.get", "reactions:read", tier=3)
def get(slack: SlackState, call: Call) -> Json:
    channel = channel_for(slack, str(call.required("channel")))
    message = channel.message(call.required("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    return {"type": "message", "channel": channel.id, "message": slack.message_json(message)}


def _reaction(slack: SlackState, call: Call) -> tuple[str, Message]:
    name = str(call.required("name")).strip(":")
    if not NAME.fullmatch(name):
        raise Refused("invalid_name")
    channel = channel_for(slack, str(call.required("channel")))
    member_only(channel)
    message = channel.message(call.required("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    return name, message
