"""What does a support lead do in the stories: list rules, press their buttons, fill in their forms?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sandbox.slack import Message
from sandbox.slack.modals import View
from sandbox.world import World

Seen = TypeVar("Seen")


async def until(look: Callable[[], Seen | None], *, what: str) -> Seen:
    """Wait until it can be seen; what follows an acknowledgement comes a little later."""
    for _ in range(300):
        if seen := look():
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError(f"never saw {what}")


async def ask(world: World, who: str, command: str, text: str = "") -> Message:
    """A slash command, and what it answers to this person only."""
    before = len(world.slack.ephemerals(who))
    answer = await world.slack.command(who, command, text, world.leads_channel)
    assert answer.is_good
    await until(lambda: len(world.slack.ephemerals(who)) > before, what=f"an answer to {command}")
    return world.slack.ephemerals(who)[-1]


def block_of(shown: Message | View, rule_id: str) -> str:
    """The block with a rule's buttons."""
    return next(
        str(block["block_id"])
        for block in shown.blocks
        if block["type"] == "actions" and f"/{rule_id}|" in str(block["block_id"])
    )


async def press(world: World, who: str, shown: Message, action: str, rule_id: str, **more: Any) -> None:
    """Press a rule's button on the list; what follows happens."""
    block_id = block_of(shown, rule_id)
    answer = await world.slack.press(who, world.leads_channel, shown.ts, action, block_id=block_id, **more)
    assert answer.is_good
    await world.settle()


async def view_with(world: World, who: str, words: str) -> View:
    """The person's modal, once it says so."""

    def look() -> View | None:
        views = world.slack.open_views(who)
        return views[-1] if views and words in views[-1].plain_text() else None

    return await until(look, what=f"a modal with {words!r}")


async def told(world: World, who: str, words: str) -> Message:
    """What only this person sees, once something says so."""

    def look() -> Message | None:
        return next((each for each in world.slack.ephemerals(who) if words in each.plain_text()), None)

    return await until(
        look, what=f"{words!r} among {[e.plain_text()[:120] for e in world.slack.ephemerals(who)]}"
    )


def notice(world: World, words: str) -> Message:
    """The one message in the alerts channel that says so."""
    (shown,) = [m for m in world.slack.messages(world.alerts_channel) if words in m.plain_text()]
    return shown


def field_of(view: View, label: str) -> tuple[str, str]:
    """(block id, action id) of the form's field with this label."""
    for block in view.blocks:
        if block["type"] == "input" and block["label"]["text"] == label:
            return str(block["block_id"]), str(block["element"]["action_id"])
    labels = [block["label"]["text"] for block in view.blocks if block["type"] == "input"]
    raise AssertionError(f"no field {label!r} among {labels}")
