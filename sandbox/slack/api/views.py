"""How are modals opened, pushed and updated, and Home tabs published?"""

from collections.abc import Mapping
from typing import Any

from bot.slack.limits import validate_view
from sandbox.slack.calls import Call, Refused, invalid_arguments, method, refuse
from sandbox.slack.elements import Json
from sandbox.slack.modals import STACK, View
from sandbox.slack.state import SlackState
from sandbox.slack.tickets import Trigger


@method("views.open", tier=4)
def open_(slack: SlackState, call: Call) -> Json:
    content = _content(slack, call, "modal")
    trigger = _trigger(slack, call)
    return _answer(slack, slack.views.open(trigger.user, content))


@method("views.push", tier=4)
def push(slack: SlackState, call: Call) -> Json:
    content = _content(slack, call, "modal")
    trigger = _trigger(slack, call)
    stack = slack.views.stacks.get(trigger.user, [])
    if trigger.view_id is None or not stack:
        raise invalid_arguments("the trigger_id does not come from an open modal")
    if len(stack) >= STACK:
        raise Refused("push_limit_reached")
    return _answer(slack, slack.views.push(trigger.user, content))


@method("views.update", tier=4)
def update(slack: SlackState, call: Call) -> Json:
    if call.text("view_id"):
        view = slack.view_of(call.text("view_id"))
    elif call.text("external_id"):
        view = slack.views.with_external_id(call.text("external_id"))
    else:
        raise invalid_arguments("must provide exactly one of: view_id, external_id")
    if view is None:
        raise Refused("not_found")
    content = _content(slack, call, view.type, replaced=view)
    _same_hash(call, view)
    return _answer(slack, slack.views.update(view, content))


@method("views.publish", tier=4)
def publish(slack: SlackState, call: Call) -> Json:
    user = str(call.required("user_id"))
    member = slack.workspace.members.get(user)
    if member is None or member.deleted:
        raise invalid_arguments("invalid `user_id`")
    home = slack.views.homes.get(user)
    content = _content(slack, call, "home", replaced=home)
    if home is not None:
        _same_hash(call, home)
    return _answer(slack, slack.views.publish(user, content))


def acceptable(
    slack: SlackState, content: object, kind: str, *, replaced: View | None = None
) -> Mapping[str, Any]:
    """The view of a call or an acknowledgement, if Slack would take it. Raises Refused."""
    refuse(validate_view(content))
    if not isinstance(content, Mapping) or content["type"] != kind:
        raise invalid_arguments(f"must be a {kind} view [json-pointer:/view/type]")
    namesake = slack.views.with_external_id(content.get("external_id"))
    if namesake is not None and namesake is not replaced:
        raise Refused("duplicate_external_id")
    return content


def _content(slack: SlackState, call: Call, kind: str, *, replaced: View | None = None) -> Mapping[str, Any]:
    return acceptable(slack, call.required("view"), kind, replaced=replaced)


def _trigger(slack: SlackState, call: Call) -> Trigger:
    trigger = slack.tickets.use_trigger(call.required("trigger_id"))
    if isinstance(trigger, str):
        raise Refused(trigger)
    return trigger


def _same_hash(call: Call, view: View) -> None:
    if call.text("hash") and call.text("hash") != view.hash:
        raise Refused("hash_conflict")


def _answer(slack: SlackState, view: View) -> Json:
    return {"view": slack.views.as_json(view)}
