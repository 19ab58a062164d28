"""What can people do with messages, modals and the Home tab, and what is the app told of it?"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from sandbox.slack.api.views import acceptable
from sandbox.slack.calls import Refused
from sandbox.slack.elements import (
    FIELDS,
    STATELESS,
    Json,
    NotPossible,
    Placed,
    chosen,
    elements_of,
    find,
    is_empty,
)
from sandbox.slack.modals import STACK, View
from sandbox.slack.state import SlackState
from sandbox.slack.wire.delivery import Acknowledgement, Delivery
from sandbox.slack.wire.hooks import Hooks
from sandbox.slack.workspace import Channel, Member, Message

TROUBLE = "We had some trouble connecting. Try again?"
Values: TypeAlias = Mapping[str | tuple[str, str], Any]


class People:
    """People's hands: each action goes to the app at once, and Slack's reaction to its answer follows."""

    def __init__(self, slack: SlackState, delivery: Delivery, hooks: Hooks) -> None:
        self.slack = slack
        self.delivery = delivery
        self.hooks = hooks

    async def press(
        self,
        user_id: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Any = None,
        selected_option: Any = None,
    ) -> Acknowledgement:
        """Press a button, choose from a menu, pick a date… in a message; confirm dialogs are confirmed.

        `value` is what is chosen: an option's value or label (a list where several can be), a date, a user
        id, a text; on a button it overrides the stored value, as a forged request would. `selected_option`
        is the same under Slack's name.
        """
        member, place = self.member(user_id), self.place(user_id, channel)
        message = self._message(place, ts, user_id)
        placed = find(message.blocks, action_id, block_id)
        action = self._act(placed, value if value is not None else selected_option, message.state, user_id)
        key = self.slack.tickets.new_response_url(user_id, place.id, message)
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": place.id,
            "is_ephemeral": message.seen_only_by is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        payload = {
            **self.who("block_actions", member),
            "container": container,
            "trigger_id": self.slack.tickets.new_trigger(user_id),
            "channel": {"id": place.id, "name": shown_name(place)},
            "state": {"values": message.state},
            "response_url": self.response_url(key),
            "actions": [action],
        }
        if message.seen_only_by is None:
            payload["message"] = self.slack.message_json(message)
        return await self.delivery.interaction(payload)

    async def press_in_view(
        self, user_id: str, view_id: str, action_id: str, *, block_id: str | None = None, value: Any = None
    ) -> Acknowledgement:
        """Act on an element of an open modal or of the person's Home tab (its view id)."""
        view = self.view(user_id, view_id)
        placed = find(view.blocks, action_id, block_id)
        action = self._act(placed, value, view.state, user_id)
        is_modal = view.type == "modal"
        return await self.delivery.interaction(
            {
                **self.who("block_actions", self.member(user_id)),
                "container": {"type": "view", "view_id": view.id},
                "trigger_id": self.slack.tickets.new_trigger(user_id, view_id=view.id if is_modal else None),
                "view": self.slack.views.as_json(view),
                "actions": [action],
            }
        )

    async def submit(self, user_id: str, view_id: str, values: Values | None = None) -> Acknowledgement:
        """Fill in inputs and press the modal's submit button; then the app's response_action happens.

        `values` is keyed by action_id or (block_id, action_id). Raises NotPossible where Slack's client
        would not submit: a required input is empty, a text is too long. An answer that is late, not 200 or
        unusable leaves the modal open with `trouble`.
        """
        view = self.view(user_id, view_id)
        if view.content.get("submit") is None:
            raise NotPossible("this modal has no submit button")
        for key, value in (values or {}).items():
            block_id, action_id = key if isinstance(key, tuple) else (None, key)
            placed = find(view.blocks, action_id, block_id)
            if placed.kind in STATELESS:
                raise NotPossible(f"{action_id!r} is a {placed.kind}, nothing can be filled in")
            view.state[placed.block_id][placed.action_id].update(chosen(placed.element, value))
        self._all_filled_in(view)
        view.errors, view.trouble = {}, None
        answer = await self.delivery.interaction(
            {
                **self.who("view_submission", self.member(user_id)),
                "trigger_id": self.slack.tickets.new_trigger(user_id, view_id=view.id),
                "view": self.slack.views.as_json(view),
                "response_urls": [],
            }
        )
        self._respond(view, answer)
        return answer

    async def close_view(self, user_id: str, view_id: str, *, whole_stack: bool = False) -> Acknowledgement:
        """Press Cancel, or × which closes the whole stack. The app is told only with notify_on_close."""
        view = self.view(user_id, view_id)
        is_cleared = whole_stack or bool(view.content.get("clear_on_close"))
        if is_cleared:
            self.slack.views.clear(user_id)
        else:
            self.slack.views.close(view)
        if not view.content.get("notify_on_close"):
            return Acknowledgement(status=200, is_delivered=False)
        return await self.delivery.interaction(
            {
                **self.who("view_closed", self.member(user_id)),
                "view": self.slack.views.as_json(view),
                "is_cleared": is_cleared,
            }
        )

    async def suggest(
        self,
        user_id: str,
        action_id: str,
        typed: str,
        *,
        view_id: str | None = None,
        channel: str | None = None,
        ts: str | None = None,
        block_id: str | None = None,
    ) -> list[Json]:
        """Type into an external select; the options the app offers. NotPossible when it offers none."""
        payload = {**self.who("block_suggestion", self.member(user_id)), "value": typed}
        if view_id is not None:
            view = self.view(user_id, view_id)
            placed = find(view.blocks, action_id, block_id)
            payload |= {
                "container": {"type": "view", "view_id": view.id},
                "view": self.slack.views.as_json(view),
            }
        elif channel is not None and ts is not None:
            place = self.place(user_id, channel)
            message = self._message(place, ts, user_id)
            placed = find(message.blocks, action_id, block_id)
            payload |= {
                "container": {"type": "message", "message_ts": ts, "channel_id": place.id},
                "channel": {"id": place.id, "name": shown_name(place)},
                "message": self.slack.message_json(message),
            }
        else:
            raise NotPossible("say where: view_id, or channel and ts")
        if len(typed) < placed.element.get("min_query_length", 3):
            raise NotPossible("Slack asks for options only after min_query_length characters")
        payload |= {"action_id": placed.action_id, "block_id": placed.block_id}
        answer = await self.delivery.interaction(payload)
        offered = answer.payload or {}
        groups = [option for group in offered.get("option_groups", []) for option in group["options"]]
        options: list[Json] = [*offered.get("options", []), *groups]
        if not answer.is_good or len(options) > 100:
            raise NotPossible(f"the app offered no usable options: {answer.status} {answer.body}")
        return options

    def member(self, user_id: str) -> Member:
        member = self.slack.workspace.members.get(user_id)
        if member is None:
            raise NotPossible(f"there is no member {user_id!r}")
        if member.deleted:
            raise NotPossible(f"{member.name} is deactivated")
        return member

    def place(self, user_id: str, channel: str) -> Channel:
        """A conversation this person can see: public ones of their own workspace, and those they are in."""
        place = self.slack.workspace.channel(channel)
        is_own = self.member(user_id).team_id == self.slack.workspace.team_id
        if user_id in self.slack.workspace.members_of(place) or (is_own and place.kind == "public"):
            return place
        raise NotPossible(f"this person does not see #{place.name}")

    def view(self, user_id: str, view_id: str) -> View:
        view = self.slack.view_of(view_id)
        if view is None or view.user != user_id:
            raise NotPossible(f"this person has no open view {view_id!r}")
        stack = self.slack.views.stacks.get(user_id, [])
        if view.type == "modal" and view is not stack[-1]:
            raise NotPossible("another modal lies on top of this one")
        return view

    def who(self, kind: str, member: Member) -> Json:
        """The beginning every interaction payload has."""
        workspace = self.slack.workspace
        return {
            "type": kind,
            "user": {
                "id": member.id,
                "username": member.name,
                "name": member.name,
                "team_id": member.team_id,
            },
            "api_app_id": workspace.app_id,
            "token": "legacy-verification-token",
            "team": {"id": workspace.team_id, "domain": "sandbox"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def response_url(self, key: str) -> str:
        return f"{self.slack.base_url}/actions/{self.slack.workspace.team_id}/{key}"

    def _message(self, channel: Channel, ts: str, user_id: str) -> Message:
        message = channel.message(ts)
        if message is None:
            seen = [each for each in self.slack.workspace.ephemerals if each.seen_only_by == user_id]
            message = next((each for each in seen if each.ts == ts and each.channel == channel.id), None)
        if message is None:
            raise NotPossible(f"this person sees no message {ts!r} in #{channel.name}")
        return message

    def _act(self, placed: Placed, value: Any, state: dict[str, dict[str, Json]], user_id: str) -> Json:
        """The action of a payload; what was chosen is kept in `state`."""
        visible = placed.element.get("visible_to_user_ids")
        if visible is not None and user_id not in visible:
            raise NotPossible(f"{placed.action_id!r} is not shown to this person")
        fields = chosen(placed.element, value)
        if placed.kind == "overflow" and fields["selected_option"] is None:
            raise NotPossible("say which option of the menu is chosen")
        if placed.kind in FIELDS and placed.kind not in STATELESS:
            state[placed.block_id][placed.action_id].update(fields)
        return {
            "type": placed.kind,
            "action_id": placed.action_id,
            "block_id": placed.block_id,
            **fields,
            "action_ts": self.slack.workspace.new_ts(),
        }

    def _all_filled_in(self, view: View) -> None:
        for placed in elements_of(view.blocks):
            if placed.block["type"] != "input" or placed.block.get("optional"):
                continue
            if is_empty(view.state[placed.block_id][placed.action_id]):
                raise NotPossible(
                    f"{placed.block['label']['text']!r} has to be filled in ({placed.action_id})"
                )

    def _respond(self, view: View, answer: Acknowledgement) -> None:
        """What Slack does with the app's answer to a submission."""
        if not answer.is_good or (answer.body and answer.payload is None):
            view.trouble = TROUBLE
            return
        response = answer.payload or {}
        action = response.get("response_action")
        try:
            if action is None:
                self.slack.views.close(view)
            elif action == "clear":
                self.slack.views.clear(view.user)
            elif action == "errors":
                view.errors = _errors(view, response.get("errors"))
            elif action == "update":
                self.slack.views.update(
                    view, acceptable(self.slack, response.get("view"), "modal", replaced=view)
                )
            elif action == "push" and len(self.slack.views.stacks[view.user]) < STACK:
                self.slack.views.push(view.user, acceptable(self.slack, response.get("view"), "modal"))
            else:
                view.trouble = TROUBLE
        except Refused as refused:
            view.trouble = f"{TROUBLE} ({refused.error}: {refused.more})"


def shown_name(channel: Channel) -> str:
    """The conversation's name as interaction payloads give it."""
    return {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)


def _errors(view: View, errors: Any) -> dict[str, str]:
    """The errors of an acknowledgement, if each stands under an input block of this view."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise Refused("invalid_errors", errors=errors, inputs=sorted(inputs))
    return {str(key): str(message) for key, message in errors.items()}
