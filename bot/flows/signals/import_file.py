"""How does a file of past events come in, completely, once, and on where it was stopped?

An event's `message_id` comes from what its line says and how often the file has said so before: two equal
purchases on one day are two events, the same file again adds none. How far the file was read is noted in
the transaction that stores the lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.intake.attributes import MOST_BYTES_PER_CALL
from bot.intake.segment import (
    LONGEST_MESSAGE_ID,
    LONGEST_NAME,
    LONGEST_USER_ID,
    Calls,
    Problem,
    is_reserved,
    read_calls,
)
from bot.intake.tables import Line, Reading, Values, lines_of, moment_of, value_of
from bot.intake.wrong import said
from db.deciding.ticks import mark_dirty
from db.intake import imports
from db.intake.events import NewEvent, take_in, untakeable
from db.intake.traits import Telling, take_tellings
from db.people.customers import customer_id_of
from db.rulebook.rules import current_rulebook

LINES_AT_ONCE = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A line that was not taken. `column`: the field, from 1 (0: the whole line)."""

    number: int
    column: int
    problem: str


@dataclass(slots=True, kw_only=True)
class Imported:
    """What became of a file.

    Attributes:
        lines: that hold something, the header not counted.
        new: events that were not known before.
        repeated: events that were known.
        changed: customers whose attributes are different now (JSON lines in Segment's format).
        customers: whom the lines are about.
        equal: lines that say the same as an earlier one and count as events of their own.
        skipped: lines stored already by an earlier import of this file that was stopped.
    """

    lines: int = 0
    new: int = 0
    repeated: int = 0
    changed: int = 0
    skipped: int = 0
    customers: int = 0
    equal: int = 0
    refused: list[RefusedLine] = field(default_factory=list)


class _Wrong(Exception):
    def __init__(self, column: int, problem: str) -> None:
        super().__init__(problem)
        self.column = column
        self.problem = problem


async def import_file(
    deps: Deps, path: Path, reading: Reading, *, on_lines: Callable[[int], None] = lambda lines: None
) -> Imported:
    """Take in every line that can be taken; returns what became of each.

    Args:
        on_lines: told the number of the line up to which everything is stored, as it goes.

    Raises:
        Unavailable: the database went away; run the same import again, it goes on from there.
    """
    now = deps.clock.now()
    digest = _digest_of(path, reading)
    async with deps.db.begin() as session:
        done = await imports.lines_taken(session, digest)
    result = Imported()
    batch = _Batch(reading, now)
    for line in lines_of(path, reading):
        result.lines += 1
        batch.add(line)
        if line.number <= done:
            result.skipped += 1
            batch.drop_taken()
        elif batch.size >= LINES_AT_ONCE:
            await _store(deps, batch, digest, result)
            on_lines(line.number)
    await _store(deps, batch, digest, result, is_last=True)
    result.refused = batch.refused
    result.customers = len(batch.customers)
    result.equal = batch.equal
    if result.new or result.changed:
        await deps.waker.wake("decide")
    return result


async def _store(deps: Deps, batch: _Batch, digest: str, result: Imported, *, is_last: bool = False) -> None:
    async def write(session: AsyncSession) -> tuple[list[bool], int]:
        changed = set()
        if batch.calls.tellings:
            timezone = (await current_rulebook(session)).policy.timezone
            changed = await take_tellings(
                session, batch.calls.tellings, default_timezone=timezone, now=batch.now
            )
            await mark_dirty(session, changed, now=batch.now)
        new = await take_in(session, batch.calls.events, now=batch.now)
        if is_last:
            await imports.forget(session, digest)
        else:
            await imports.note_lines(session, digest, batch.last_line, now=batch.now)
        return new, len(changed)

    new, changed = await deps.db.run(write)
    result.new += sum(new)
    result.repeated += len(new) - sum(new)
    result.changed += changed
    batch.drop_taken()


class _Batch:
    """Lines read and not yet stored, and what the whole file has said so far."""

    def __init__(self, reading: Reading, now: datetime) -> None:
        self.now = now
        self.calls = Calls(now=now)
        self.refused: list[RefusedLine] = []
        self.customers: set[Any] = set()
        self.last_line = 0
        self.equal = 0
        self._reading = reading
        self._said: dict[bytes, int] = {}

    @property
    def size(self) -> int:
        return len(self.calls.events) + len(self.calls.tellings)

    def add(self, line: Line) -> None:
        self.last_line = line.number
        try:
            if line.values is None:
                raise _Wrong(line.column, line.problem)
            if self._reading.is_segment:
                self._add_call(line.values)
            else:
                self.calls.events.append(self._event(line.values))
                self.customers.add(self.calls.events[-1].customer_id)
        except _Wrong as wrong:
            self.refused.append(RefusedLine(number=line.number, column=wrong.column, problem=wrong.problem))

    def drop_taken(self) -> None:
        self.calls.events.clear()
        self.calls.tellings.clear()
        self.calls.claims.clear()

    def _add_call(self, values: Values) -> None:
        read_calls(self.calls, [values], kind=None if "type" in values else "track")
        if self.calls.problems:
            problem = self.calls.problems.pop()
            raise _Wrong(self._reading.position(problem.field.split(".")[0]), _told(problem))
        if self.calls.claims:
            self.calls.claims.clear()
            self.calls.tellings.pop()
            raise _Wrong(
                self._reading.position("traits"),
                "traits.line_user_id links a LINE account and is not taken from files"
                " (send it to /v1/identify)",
            )
        if self.calls.events and not self.calls.events[-1].is_timed:
            self.calls.events.pop()
            raise _Wrong(0, "has no timestamp (add when it happened, so that a second import adds nothing)")
        told: list[NewEvent | Telling] = [*self.calls.events[-1:], *self.calls.tellings[-1:]]
        self.customers.update(call.customer_id for call in told)

    def _event(self, values: Values) -> NewEvent:
        reading = self._reading
        customer = self._text(values, reading.customer, LONGEST_USER_ID)
        name = reading.event or self._text(values, str(reading.event_column), LONGEST_NAME)
        if is_reserved(name):
            column = reading.position(reading.event_column or "")
            raise _Wrong(
                column, f'the event name "{name}" is reserved (no @ or $ first, no #1 or ~first last)'
            )
        at = self._moment(values)
        properties = {
            column: value
            for column in reading.properties
            if (value := value_of(values.get(column))) not in ("", None)
        }
        document = to_json(properties) if properties else None
        if document is not None and len(document) > MOST_BYTES_PER_CALL:
            raise _Wrong(0, "its properties are larger than 32 KB (keep fewer with --property COLUMN)")
        if reading.message_id and values.get(reading.message_id) not in ("", None):
            message_id = self._text(values, reading.message_id, LONGEST_MESSAGE_ID)
        else:
            message_id = self._derived_id(customer, name, at.isoformat(), properties)
        return NewEvent(customer_id_of(customer), name, at, message_id, document, customer)

    def _derived_id(self, *content: object) -> str:
        digest = blake2b(to_json(content), digest_size=15).digest()
        occurrence = self._said[digest] = self._said.get(digest, 0) + 1
        self.equal += occurrence > 1
        return f"import-{digest.hex()}-{occurrence}"

    def _moment(self, values: Values) -> datetime:
        column = self._reading.position(self._reading.time)
        text = str(values.get(self._reading.time) or "")
        at = moment_of(text, self._reading.timezone)
        if at is None:
            raise _Wrong(
                column, f'"{text[:40]}" is not a time (write 2026-11-22T09:30:00+09:00, 20261122 or an epoch)'
            )
        if refusal := untakeable(at, now=self.now):
            raise _Wrong(column, refusal.en)
        return at

    def _text(self, values: Values, name: str, longest: int) -> str:
        value = values.get(name)
        if isinstance(value, dict | list | bool | float):
            column = self._reading.position(name)
            raise _Wrong(column, f"{name} is {said(value)}, not text or a whole number")
        text = "" if value is None else str(value).strip()
        if not text or len(text) > longest:
            problem = f"is longer than {longest} characters" if text else "is empty"
            raise _Wrong(self._reading.position(name), f"{name} {problem} (complete or remove the line)")
        return text


def _told(problem: Problem) -> str:
    return f"{problem.field} {problem.message}".strip()


def _digest_of(path: Path, reading: Reading) -> str:
    digest = blake2b(repr(reading).encode(), digest_size=20)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
