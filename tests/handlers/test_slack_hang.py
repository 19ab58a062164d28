"""Is everything acknowledged within a second while the database is busy and everybody else hangs?"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.flows.rules.publish import publish
from bot.ports import DraftRequest, DraftText
from db.engine import Database
from handlers.slack.socket import socket_mode
from sandbox.slack import Message
from sandbox.slack.modals import View
from tests.flows.desk import Desk, desk
from tests.flows.shop import inactive

AT_MOST = 1.0
"""Seconds; Slack's own limit is three."""
HANGS = 6.0


class HangingDrafter:
    """A model that does not answer."""

    def __init__(self) -> None:
        self.hangs = False

    async def draft(self, request: DraftRequest) -> tuple[DraftText, ...]:
        if self.hangs:
            await asyncio.sleep(HANGS)
        return (DraftText(text="ご連絡ありがとうございます。", source="template"),)


async def _busy(db: Database, stop: asyncio.Event) -> None:
    while not stop.is_set():
        async with db.begin() as session:
            await session.execute(text("SELECT count(*) FROM generate_series(1, 200000)"))
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def _everything_hangs(d: Desk) -> AsyncIterator[None]:
    """Slack's Web API and the model hang, workers hang with them, and the database has work to do."""
    stop = asyncio.Event()
    d.slack.faults.add("*", times=10_000, hang=HANGS)
    d.deps.drafter.hangs = True  # type: ignore[union-attr]
    tasks = [asyncio.create_task(_busy(d.deps.db, stop)) for _ in range(4)]
    tasks += [asyncio.create_task(work()) for work in (d.settle, d.settle)]
    await asyncio.sleep(0.1)
    try:
        yield
    finally:
        stop.set()
        d.slack.faults.waiting.clear()
        for task in tasks[4:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _rules(d: Desk) -> tuple[Message, View]:
    """The list of rules that one lead has before them, and the form that another has open."""
    await publish(d.deps, inactive("quiet"), by="test")
    for who in (d.suzuki, d.sato):
        await d.slack.command(who, "/followups", "", d.leads)
        for _ in range(100):
            await asyncio.sleep(0.05)
            if d.slack.ephemerals(who):
                break
    shown = d.slack.ephemerals(d.suzuki)[-1]
    await d.slack.press(d.suzuki, d.leads, shown.ts, "rule.edit")
    for _ in range(100):
        await asyncio.sleep(0.05)
        views = d.slack.open_views(d.suzuki)
        if views and views[-1].content.get("submit"):
            return d.slack.ephemerals(d.sato)[-1], views[-1]
    raise AssertionError("no form opened")


async def _timed(act: Callable[[], Awaitable[Any]]) -> float:
    begin = time.monotonic()
    answer = await act()
    assert answer.is_good, answer
    return time.monotonic() - begin


@pytest.mark.parametrize("is_socket", [False, True], ids=["HTTP", "Socket Mode"])
async def test_every_press_submission_command_and_event_is_acknowledged_within_a_second(
    db: Database, is_socket: bool
) -> None:
    drafter, more = HangingDrafter(), {}
    if is_socket:
        more = {"app_token": "xapp-desk", "slack_app_token": SecretStr("xapp-desk")}
    async with contextlib.AsyncExitStack() as stack:
        d = await stack.enter_async_context(desk(db, drafter=drafter, **more))
        if is_socket:
            await stack.enter_async_context(socket_mode(d.deps))
            for _ in range(100):
                if d.slack.sockets.are_connected:
                    break
                await asyncio.sleep(0.05)
            assert d.slack.sockets.are_connected
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        rules, form = await _rules(d)
        await d.press(d.sato, "lead.snooze")
        for _ in range(40):
            await asyncio.sleep(0.05)
            if d.slack.open_views(d.sato):
                break
        (view,) = d.slack.open_views(d.sato)
        steering = [(each.action_id, each.block_id) for each in rules.buttons()]
        card = d.card()
        presses = [each.action_id for each in card.buttons()]
        took: dict[str, float] = {}
        async with _everything_hangs(d):
            for action in presses:
                chosen = {"selected_option": "shorter"} if action == "lead.more" else {}
                took[action] = await _timed(
                    lambda a=action, c=chosen: d.slack.press(d.sato, d.leads, card.ts, a, **c)  # type: ignore[misc]
                )
            for action, block_id in steering:
                more = {"selected_option": "preview"} if action == "rule.more" else {}
                took[f"{action} {block_id}"] = await _timed(
                    lambda a=action, b=block_id, c=more: d.slack.press(  # type: ignore[misc]
                        d.sato, d.leads, rules.ts, a, block_id=b, **c
                    )
                )
            span = ("field/4", "field.span")
            took["form"] = await _timed(lambda: d.slack.submit(d.suzuki, form.id, {span: "5d"}))
            took["submit"] = await _timed(lambda: d.slack.submit(d.sato, view.id, {"span": "1h"}))
            for command in ("/leads", "/reply", "/why", "/followups"):
                took[command] = await _timed(
                    lambda c=command: d.slack.command(d.sato, c, "x", d.leads)  # type: ignore[misc]
                )
            took["home"] = await _timed(lambda: d.slack.open_home(d.sato))
            took["message"] = await _timed(lambda: d.slack.write(d.sato, d.leads, "x", thread_ts=card.ts))
        slow = {what: round(seconds, 2) for what, seconds in took.items() if seconds > AT_MOST}
        assert slow == {}
        assert len(took) >= len(presses) + 6
