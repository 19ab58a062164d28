"""Which modals and Home tabs are open, for whom, holding what?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.elements import Json, State, carried_state, with_ids
from sandbox.slack.rendering import plain_text
from sandbox.slack.workspace import Button, Workspace, buttons_of

STACK = 3
"""Modals one person can have on top of each other."""

_DEFAULTS: Json = {
    "private_metadata": "",
    "callback_id": "",
    "external_id": "",
    "close": None,
    "submit": None,
    "clear_on_close": False,
    "notify_on_close": False,
}


@dataclass(kw_only=True)
class View:
    """One modal or Home tab as a person sees it.

    `errors` are the messages the app put under its inputs (by block_id); `trouble` is what Slack says
    instead when the app answered late, not at all, or with something Slack cannot use.
    """

    id: str
    user: str
    type: str
    content: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    state: State = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None
    is_open: bool = True

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def title(self) -> str:
        return str(self.content["title"]["text"]) if "title" in self.content else ""

    @property
    def callback_id(self) -> str:
        return str(self.content.get("callback_id", ""))

    def plain_text(self) -> str:
        """Title, blocks with what the inputs hold, the errors shown, and the buttons at the foot."""
        foot = [f"[{self.content[key]['text']}]" for key in ("close", "submit") if self.content.get(key)]
        lines = [f"== {self.title} ==" if self.title else "", plain_text(self.blocks, self.state)]
        lines += [f"! {message}" for message in self.errors.values()]
        lines += [f"! {self.trouble}" if self.trouble else "", " ".join(foot)]
        return "\n".join(line for line in lines if line)

    def buttons(self) -> list[Button]:
        return buttons_of(self.blocks)


class Views:
    """Every view of the workspace: a stack of modals and one Home tab for each person."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.known: dict[str, View] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def open(self, user: str, content: Mapping[str, Any]) -> View:
        """A new modal in place of what the person had open."""
        self.clear(user)
        return self._put(user, content, previous=None)

    def push(self, user: str, content: Mapping[str, Any]) -> View:
        """A new modal above the person's top one."""
        return self._put(user, content, previous=self.stacks[user][-1])

    def update(self, view: View, content: Mapping[str, Any]) -> View:
        """New content; what was typed stays where block_id, action_id and type stay."""
        view.content = self._stored(content)
        view.state = carried_state(view.blocks, view.state)
        view.hash = self._new_hash()
        view.errors, view.trouble = {}, None
        return view

    def publish(self, user: str, content: Mapping[str, Any]) -> View:
        """New content of a person's Home tab."""
        home = self.homes.get(user)
        if home is None:
            self.homes[user] = self._new(user, content, previous=None)
            return self.homes[user]
        return self.update(home, content)

    def close(self, view: View) -> None:
        """Take away one modal and those above it."""
        stack = self.stacks.get(view.user, [])
        if view in stack:
            for gone in stack[stack.index(view) :]:
                gone.is_open = False
            del stack[stack.index(view) :]

    def clear(self, user: str) -> None:
        for view in self.stacks.pop(user, []):
            view.is_open = False

    def with_external_id(self, external_id: object) -> View | None:
        if not external_id:
            return None
        live = [view for view in self.known.values() if view.is_open]
        return next((view for view in live if view.content.get("external_id") == external_id), None)

    def as_json(self, view: View) -> Json:
        """The view as payloads and answers carry it."""
        extra = {} if view.type == "home" else {"close": None, "submit": None}
        return {
            "id": view.id,
            "team_id": self.workspace.team_id,
            **_DEFAULTS,
            **extra,
            **view.content,
            "state": {"values": view.state},
            "hash": view.hash,
            "root_view_id": view.root_id,
            "previous_view_id": view.previous_id,
            "app_id": self.workspace.app_id,
            "app_installed_team_id": self.workspace.team_id,
            "bot_id": self.workspace.bot_id,
        }

    def _put(self, user: str, content: Mapping[str, Any], *, previous: View | None) -> View:
        view = self._new(user, content, previous=previous)
        self.stacks.setdefault(user, []).append(view)
        return view

    def _new(self, user: str, content: Mapping[str, Any], *, previous: View | None) -> View:
        view_id = self.workspace.new_id("V")
        stored = self._stored(content)
        view = View(
            id=view_id,
            user=user,
            type=stored["type"],
            content=stored,
            hash=self._new_hash(),
            root_id=previous.root_id if previous else view_id,
            previous_id=previous.id if previous else None,
            state=carried_state(stored["blocks"]),
        )
        self.known[view_id] = view
        return view

    def _stored(self, content: Mapping[str, Any]) -> Json:
        return {**content, "blocks": with_ids(list(content["blocks"]), self.workspace.new_block_id)}

    def _new_hash(self) -> str:
        seconds = int(self.workspace.clock().timestamp())
        return f"{seconds}.{self.workspace.new_id('h')[3:]}"
