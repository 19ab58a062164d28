"""Who sees which rich menu? Linked when a customer's stage has changed, looked at once a night."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Unavailable
from bot.ports import Line
from db.deciding.facts import load_facts
from db.deciding.nights import take_night
from db.intake.histories import times_of, unkept
from db.people.menus import MenusInForce, Viewer, keep_menus, menus_in_force, note_linked, viewers_after
from db.rulebook.rules import current_rulebook
from followups.facts import Facts
from followups.signals import fold_all
from followups.standing.segments import LifeCycle, living_of, stage_of

log = structlog.get_logger()

AT_ONCE = 500
"""LINE's limit of one bulk request (Link rich menu to multiple users)."""


async def link_menus(deps: Deps) -> int:
    """Have everybody see the menu of their stage; how many see another one now than before.

    All friends are looked at once a night, and after menus were applied. Linking twice is harmless, so
    whatever dies where, the next tick goes on until it is through.
    """
    line = deps.line
    if line is None:
        return 0
    now = deps.clock.now()

    async def begin(session: AsyncSession) -> MenusInForce | None:
        menus = await menus_in_force(session)
        if menus is None:
            return None
        is_due = menus.is_pending or (bool(menus.by_stage) and await take_night(session, "menus", now=now))
        if is_due and not menus.is_pending:
            await keep_menus(session, replace(menus, is_pending=True), now=now)
        return menus if is_due else None

    menus = await deps.db.run(begin)
    if menus is None:
        return 0
    changed, last = 0, ""
    try:
        while viewers := await _next(deps, last):
            changed += await _link(deps, line, menus, viewers, now=now)
            last = viewers[-1].line_user_id
    except Unavailable as error:
        log.warning("rich_menus.unavailable", because=str(error))
        return 0

    async def end(session: AsyncSession) -> None:
        if await menus_in_force(session) == replace(menus, is_pending=True):
            await keep_menus(session, replace(menus, is_pending=False), now=now)

    await deps.db.run(end)
    log.info("rich_menus.linked", changed=changed)
    return changed


async def _next(deps: Deps, last: str) -> list[Viewer]:
    async with deps.db.begin() as session:
        return await viewers_after(session, last, limit=AT_ONCE)


async def _link(
    deps: Deps, line: Line, menus: MenusInForce, viewers: Sequence[Viewer], *, now: datetime
) -> int:
    async with deps.db.begin() as session:
        stages = await _stages(session, [each.customer_id for each in viewers], now=now)
    wanted: defaultdict[str | None, list[str]] = defaultdict(list)
    for viewer in viewers:
        rich_menu_id = menus.by_stage.get(stages.get(viewer.customer_id) or "")
        if rich_menu_id != viewer.rich_menu_id:
            wanted[rich_menu_id].append(viewer.line_user_id)
    changed = 0
    for rich_menu_id, users in wanted.items():
        if not await line.link_menus(rich_menu_id, users):
            log.warning("rich_menu.gone", users=len(users))
            continue

        async def write(
            session: AsyncSession, rich_menu_id: str | None = rich_menu_id, users: list[str] = users
        ) -> None:
            await note_linked(session, users, rich_menu_id)

        await deps.db.run(write)
        changed += len(users)
    return changed


async def _stages(
    session: AsyncSession, customer_ids: Sequence[UUID], *, now: datetime
) -> Mapping[UUID, str | None]:
    """By customer. What no rule has the program keep is read from the events themselves."""
    life = (await current_rulebook(session)).policy.life_cycle
    facts = await load_facts(session, customer_ids, now=now, with_all_signals=True)
    lacking = sorted(await unkept(session, life.stage_watches()))
    times = await times_of(session, list(facts), lacking, until=now) if lacking else {}
    depths = {watch.event: watch.depth for watch in life.stage_watches()}
    return {
        customer_id: _stage(each, times.get(customer_id, {}), depths, life, now=now)
        for customer_id, each in facts.items()
    }


def _stage(
    facts: Facts,
    times: Mapping[str, Sequence[datetime]],
    depths: Mapping[str, int],
    life: LifeCycle,
    *,
    now: datetime,
) -> str | None:
    signals = dict(facts.signals)
    for name, moments in times.items():
        signal = fold_all(name, moments, depth=depths[name])
        if signal is not None:
            signals[name] = signal
    return stage_of(living_of(replace(facts, signals=signals), life), life, now=now)
