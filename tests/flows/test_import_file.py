"""Does a file of past events come in completely, once, and on where it was stopped?"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.signals.import_file import import_file
from bot.intake.tables import moment_of, reading_of
from db.engine import Database
from db.intake.events import Event
from db.intake.imports import ImportProgress
from db.intake.signals import SignalRow
from db.people.customers import Customer, customer_id_of
from tests.wiring import deps_without_platforms

ORDERS = """\
member_no,日付,item,amount
007,2026/10/01,茶,480
007,2026/10/01,茶,480
008,2026-10-02 09:30,"急須, 小",12000.5
"""


@pytest.fixture
def deps(db: Database) -> Deps:
    return deps_without_platforms(db)


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


async def events(db: Database) -> list[Event]:
    async with db.begin() as session:
        return list(await session.scalars(select(Event).order_by(col(Event.at), col(Event.message_id))))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
async def test_equal_lines_are_events_of_their_own_and_a_second_run_adds_none(
    deps: Deps, tmp_path: Path, encoding: str
) -> None:
    path = written(tmp_path, "orders.csv", ORDERS, encoding)
    named = "utf-8" if encoding == "utf-8-sig" else encoding
    reading = reading_of(path, customer="member_no", event="purchase", encoding=named)
    first = await import_file(deps, path, reading)
    assert (first.lines, first.new, first.equal, first.customers, first.refused) == (3, 3, 1, 2, [])
    tea, more_tea, pot = await events(deps.db)
    assert tea.customer_id == more_tea.customer_id == customer_id_of("007")
    assert tea.at == more_tea.at == datetime(2026, 9, 30, 15, tzinfo=UTC)
    assert tea.properties == {"item": "茶", "amount": 480}
    assert (pot.at, pot.properties) == (
        datetime(2026, 10, 2, 0, 30, tzinfo=UTC), {"item": "急須, 小", "amount": 12000.5}
    )  # fmt: skip
    again = await import_file(deps, path, reading)
    assert (again.new, again.repeated) == (0, 3)


async def test_lines_in_columns_are_read_and_what_is_guessed_is_said(deps: Deps, tmp_path: Path) -> None:
    lines = [" customer_id  date number_of_cds  dollar_value"]
    lines += [" 00001 19970101  1   11.77", " 00002 19970112  5   77.00", ""]
    path = written(tmp_path, "master.txt", "\r\n".join(lines))
    reading = reading_of(path, event="purchase")
    assert "customer from customer_id, time from date (Asia/Tokyo" in reading.shown()
    result = await import_file(deps, path, reading)
    assert (result.new, result.refused) == (2, [])
    first, _ = await events(deps.db)
    assert first.at == datetime(1996, 12, 31, 15, tzinfo=UTC)
    assert first.properties == {"number_of_cds": 1, "dollar_value": 11.77}


async def test_json_lines_in_segments_format_carry_people_too(deps: Deps, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "calls.jsonl",
        '{"type": "identify", "userId": "ada", "traits": {"plan": "trial"}}\n'
        '{"type": "track", "userId": "ada", "event": "login", "timestamp": "2026-10-01T00:00:00Z"}\n'
        '{"type": "track", "userId": "ada", "event": "login", "timestamp": "2026-10-01T00:00:00Z"}\n'
        '{"type": "track", "userId": "ada", "event": "login"}\n'
        '{"type": "track", "userId": "ada", "event": "login", "timestamp": "soon"}\n'
        "{broken\n",
    )
    reading = reading_of(path)
    for new in (2, 0):
        result = await import_file(deps, path, reading)
        assert result.new == new
        assert [line.number for line in result.refused] == [4, 5, 6]
    async with deps.db.begin() as session:
        ada = await session.get(Customer, customer_id_of("ada"))
    assert ada is not None
    assert ada.attributes == {"plan": "trial"}


async def test_flat_json_lines_are_read_by_column(deps: Deps, tmp_path: Path) -> None:
    path = written(
        tmp_path, "flat.jsonl", '{"user_id": 7, "action": "login", "time": 1759276800, "n": {"a": 1}}\n'
    )
    result = await import_file(deps, path, reading_of(path))
    assert (result.new, result.refused) == (1, [])
    (event,) = await events(deps.db)
    assert (event.name, event.at, event.properties) == (
        "login", datetime(2025, 10, 1, tzinfo=UTC), {"n": {"a": 1}}
    )  # fmt: skip


async def test_bad_lines_are_named_and_the_good_ones_taken(deps: Deps, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(
        b"customer,time,event\n"
        b"a,2026-10-01,login\n"
        b"b,sometime,login\n"
        b",2026-10-01,login\n"
        b"c,2026-10-01\n"
        b"d,2026-10-01,\x93\xfa\x96{\n"
        b"e,2026-10-01,login#2\n"
        b"f,1926-10-01,login\n"
        b"\n"
        b'g,2026-10-01,"lo\ngin"\n'
        b"h,2026-10-01,login\n"
    )
    result = await import_file(deps, path, reading_of(path))
    assert [(line.number, line.column) for line in result.refused] == [
        (3, 2), (4, 1), (5, 3), (6, 3), (7, 3), (8, 2)
    ]  # fmt: skip
    assert "cp932" in result.refused[3].problem
    assert result.new == 3


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("a,b\n1,2\n", {"event": "x"}, "--customer"),
        ("customer,b\n1,2\n", {"event": "x"}, "--time"),
        ("customer,time\n1,2\n", {}, "--event"),
        ("customer,time\n1,2\n", {"event": "x", "time": "when"}, '"when"'),
        ("customer,time\n1,2\n", {"event": "x", "properties": ["size"]}, '"size"'),
        ("customer,time,time\n1,2\n", {"event": "x"}, "same name"),
        ("", {"event": "x"}, "empty"),
        ("{nonsense\n", {}, "JSON"),
        ("customer,time\n", {"event": "x", "encoding": "klingon"}, "klingon"),
    ],
)
def test_what_cannot_be_guessed_is_asked_for(
    tmp_path: Path, text: str, options: dict[str, str], told: str
) -> None:
    with pytest.raises(Refused, match=told):
        reading_of(written(tmp_path, "file.csv", text), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("19970101", datetime(1996, 12, 31, 15, tzinfo=UTC)),
        ("1997/1/2 9:05", datetime(1997, 1, 2, 0, 5, tzinfo=UTC)),
        ("1997年1月2日", datetime(1997, 1, 1, 15, tzinfo=UTC)),
        ("1997-01-02T09:00:00Z", datetime(1997, 1, 2, 9, tzinfo=UTC)),
        ("1997-01-02T09:00:00.5+02:00", datetime(1997, 1, 2, 7, 0, 0, 500_000, tzinfo=UTC)),
        ("1759276800", datetime(2025, 10, 1, tzinfo=UTC)),
        ("1759276800000", datetime(2025, 10, 1, tzinfo=UTC)),
        ("19971301", None), ("", None), ("soon", None), ("12", None), ("1997/2/30", None),
    ],
)  # fmt: skip
def test_times_are_read_as_people_write_them(text: str, at: datetime | None) -> None:
    assert moment_of(text, "Asia/Tokyo") == at


class _Killed(Exception):
    pass


@pytest.fixture
def big(tmp_path: Path) -> Path:
    rng = random.Random(5)
    lines = [
        f"c{rng.randrange(50)},2026-{rng.randrange(1, 11):02d}-{rng.randrange(1, 4):02d}"
        for _ in range(13_000)
    ]
    return written(tmp_path, "big.csv", "\n".join(["customer,date", *lines]) + "\n")


async def test_a_stopped_import_goes_on_where_it_was_and_loses_and_doubles_nothing(
    deps: Deps, big: Path
) -> None:
    reading = reading_of(big, event="visit")

    def stop(lines: int) -> None:
        if lines > 8000:
            raise _Killed

    with pytest.raises(_Killed):
        await import_file(deps, big, reading, on_lines=stop)
    assert len(await events(deps.db)) == 8000
    result = await import_file(deps, big, reading)
    assert (result.skipped, result.new, result.repeated) == (8000, 5000, 0)
    async with deps.db.begin() as session:
        assert await session.scalar(select(func.sum(col(SignalRow.n)))) == 13_000
        assert await session.scalar(select(func.count()).select_from(ImportProgress)) == 0
    assert (await import_file(deps, big, reading)).repeated == 13_000


async def test_a_stopped_import_into_which_lines_were_added_is_still_taken_once(
    deps: Deps, big: Path
) -> None:
    reading = reading_of(big, event="visit")

    def stop(_: int) -> None:
        raise _Killed

    with pytest.raises(_Killed):
        await import_file(deps, big, reading, on_lines=stop)
    big.write_text(big.read_text() + "new,2026-10-01\n")
    result = await import_file(deps, big, reading)
    assert (result.skipped, result.new, result.repeated) == (0, 9001, 4000)
