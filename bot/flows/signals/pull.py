"""How do the product's own tables become events and attributes, once each, and stay untouched?"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import structlog
from dotenv import dotenv_values
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Misconfigured, Unavailable
from bot.intake.rows import ROWS_AT_ONCE, Row, begun_before, opened, place_kept, place_of, plain, rows_after
from bot.intake.segment import Calls, read_calls
from bot.intake.sources import Source, address_of, sources_of
from db.deciding.ticks import mark_dirty
from db.desk.posts import add_alert
from db.intake.events import take_in
from db.intake.pulls import LEASE, lease, note
from db.intake.traits import take_tellings
from db.rulebook.rules import current_rulebook
from followups.facts import AttributeValue
from followups.rules.parsing import RuleError
from followups.times.zones import zone_of

log = structlog.get_logger()

_RESTS = 5
"""A source that fails is asked again after one, two, four … of its intervals, at most 2**5 of them."""


@dataclass(slots=True, kw_only=True)
class Pulled:
    """What came of reading one source.

    Attributes:
        rows: read, those of the overlap included.
        new: events that were not known; `changed`: customers of whom something is different now.
        refused: why rows could not be taken, with the row's id; the first ones.
        because: why reading ended early; None: everything there is was read.
    """

    name: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    refused: list[str]
    because: str | None = None


async def pull(deps: Deps) -> int:
    """Read every source that is due; how many rows were read. Any number of processes may do this at once."""
    try:
        sources = await asyncio.to_thread(sources_of, deps.settings.yorisoi_sources)
    except (Misconfigured, RuleError) as error:
        log.warning("sources.not_read", because=str(error))
        return 0
    pulled = [await pull_source(deps, source) for source in sources]
    return sum(each.rows for each in pulled if each is not None)


async def pull_source(
    deps: Deps,
    source: Source,
    *,
    is_forced: bool = False,
    on_rows: Callable[[int], None] = lambda rows: None,
) -> Pulled | None:
    """Read one source up to its end; None: it is not due, or another process is at it.

    How far it got is stored with the rows, so a kill loses nothing. Rows that were read before (the overlap)
    are known by their ids and add nothing. A row that cannot be taken is told and left out.

    Args:
        is_forced: although it is not due yet.
        on_rows: told how many rows were read so far.
    """
    begun = deps.clock.now()

    async def take_lease(session: AsyncSession) -> Any:
        return await lease(session, source.name, _digest_of(source), now=begun, is_forced=is_forced)

    row = await deps.db.run(take_lease)
    if row is None:
        return None
    pulled = Pulled(name=source.name, refused=[])
    place = begun_before(place_of(row.place["place"]), source.overlap) if row.place else None
    failures = 0
    try:
        environment = {**await asyncio.to_thread(dotenv_values, ".env"), **os.environ}
        with opened(source, address_of(source, environment)) as engine:
            await _read_on(deps, source, engine, pulled, place=place, on_rows=on_rows)
    except (Misconfigured, Unavailable) as error:
        pulled.because, failures = str(error), row.failures + 1
        log.warning("source.not_read", source=source.name, error=type(error).__name__, failures=failures)
    await _finish(deps, source, pulled, failures, is_new=row.because != pulled.because)
    if pulled.new or pulled.changed:
        await deps.waker.wake("decide")
    return pulled


async def _read_on(
    deps: Deps,
    source: Source,
    engine: Engine,
    pulled: Pulled,
    *,
    place: tuple[Any, Any] | None,
    on_rows: Callable[[int], None],
) -> None:
    while True:
        rows = await asyncio.to_thread(rows_after, engine, source, place, limit=ROWS_AT_ONCE)
        if not rows:
            return
        place = rows[-1].place
        await _store(deps, source, rows, pulled)
        on_rows(pulled.rows)
        if len(rows) < ROWS_AT_ONCE:
            return


async def _store(deps: Deps, source: Source, rows: Sequence[Row], pulled: Pulled) -> None:
    now = deps.clock.now()
    calls, refused = _calls_of(source, rows, now=now)

    async def write(session: AsyncSession) -> tuple[int, int]:
        changed = set()
        if calls.tellings:
            timezone = (await current_rulebook(session)).policy.timezone
            changed = await take_tellings(session, calls.tellings, default_timezone=timezone, now=now)
            await mark_dirty(session, changed, now=now)
        new = await take_in(session, calls.events, now=now)
        kept = {"place": place_kept(rows[-1].place)}
        await note(session, source.name, place=kept, leased_until=now + LEASE)
        return sum(new), len(changed)

    new, changed = await deps.db.run(write)
    pulled.rows += len(rows)
    pulled.new += new
    pulled.changed += changed
    pulled.refused += refused


def _calls_of(source: Source, rows: Sequence[Row], *, now: datetime) -> tuple[Calls, list[str]]:
    """The rows as calls of the product, and why some are none."""
    taken, refused = Calls(now=now), []
    for row in rows:
        calls = Calls(now=now)
        read_calls(calls, [call_of(source, row.values)], kind=None)
        if calls.claims:
            refused.append(f"{row.place[1]}: line_user_id is not taken from tables (send it to /v1/identify)")
        elif calls.problems:
            problem = calls.problems[0]
            refused.append(f"{row.place[1]}: {problem.field} {problem.message}")
        else:
            taken.events += calls.events
            taken.tellings += calls.tellings
    return taken, refused


def call_of(source: Source, values: dict[str, Any]) -> dict[str, Any]:
    """A row as the call in Segment's format that it stands for."""
    zone = zone_of(source.timezone)
    at = plain(values[source.time], zone)
    if isinstance(at, str):
        at = _with_offset(at, zone)
    call = {"userId": plain(values[source.customer], zone), "timestamp": at}
    used = {source.customer, source.time, source.id, source.event_column}
    wanted = source.traits if source.is_of_customers else source.properties
    kept: dict[str, AttributeValue] = {
        key: plain(value, zone)
        for key, value in values.items()
        if (key in wanted if wanted is not None else key not in used)
    }
    if source.is_of_customers:
        return {"type": "identify", "traits": kept, **call}
    event = source.event or plain(values[source.event_column or ""], zone)
    properties = {key: value for key, value in kept.items() if value is not None}
    return {
        "type": "track",
        "event": event,
        "messageId": f"pull:{source.name}:{values[source.id]}",
        "properties": properties,
        **call,
    }


def _with_offset(text: str, zone: Any) -> str:
    """A time as text, such as SQLite's, with the source's time zone where it names none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).isoformat()


async def _finish(deps: Deps, source: Source, pulled: Pulled, failures: int, *, is_new: bool) -> None:
    now = deps.clock.now()
    rest = source.every * 2 ** min(failures - 1, _RESTS) if failures else source.every

    async def write(session: AsyncSession) -> None:
        await note(
            session,
            source.name,
            leased_until=None,
            due_at=now + rest,
            failures=failures,
            because=pulled.because,
            taken=pulled.new + pulled.changed,
            refused=len(pulled.refused),
        )
        if pulled.because is not None and is_new:
            await add_alert(
                session,
                key=f"pull:{source.name}:{now.isoformat()}",
                ja=f"取り込み元「{source.name}」を読めませんでした: {pulled.because}",
                en=f"The source {source.name} could not be read: {pulled.because}",
                ids=deps.ids,
                now=now,
            )

    await deps.db.run(write)
    if pulled.because is not None and is_new:
        await deps.waker.wake("post")
    log.info("source.read", source=source.name, rows=pulled.rows, new=pulled.new, refused=len(pulled.refused))


def _digest_of(source: Source) -> str:
    """Stands for how rows are read; a change of the interval alone begins nothing anew."""
    parts = (source.query, source.customer, source.time, source.id, source.event, source.event_column)
    kept = (source.properties, source.traits, source.timezone)
    return blake2b(repr((parts, kept)).encode(), digest_size=16).hexdigest()
