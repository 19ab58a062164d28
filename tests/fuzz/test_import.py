"""Is every broken line of a file told with its number, nothing half-taken, and the rest taken?"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.signals.import_file import Imported, import_file
from bot.intake.tables import reading_of
from db.engine import Database
from db.intake.events import Event
from db.intake.imports import ImportProgress
from tests.wiring import deps_without_platforms

HEADER = "member,time,event,item"
GOOD = "m{n},2026-10-0{n}T09:00:00,buy,茶{n}"


@pytest.fixture
def deps(db: Database) -> Deps:
    return deps_without_platforms(db)


async def taken(deps: Deps, path: Path, **options: str) -> Imported:
    """Import, and see that what is said to be stored is stored."""
    result = await import_file(deps, path, reading_of(path, **{"customer": "member", **options}))  # type: ignore[arg-type]
    async with deps.db.begin() as session:
        stored = await session.scalar(select(func.count()).select_from(Event))
        unfinished = await session.scalar(select(func.count()).select_from(ImportProgress))
    assert (stored, unfinished) == (result.new + result.repeated, 0)
    return result


BROKEN_ROWS = {
    "too few": b"m,2026-10-01",
    "too many": b"m,2026-10-01,buy,x,y",
    "no customer": b" ,2026-10-01,buy,x",
    "long customer": b"m" * 201 + b",2026-10-01,buy,x",
    "no time": b"m,,buy,x",
    "word for a time": b"m,soon,buy,x",
    "no such day": b"m,2026-02-30,buy,x",
    "too early": b"m,1899-12-31,buy,x",
    "too far ahead": b"m,2999-01-01,buy,x",
    "year zero": b"m,0000-01-01,buy,x",
    "beyond every year": b"m,99999999999999999999,buy,x",
    "no event": b"m,2026-10-01,,x",
    "reserved event": b"m,2026-10-01,$clicked,x",
    "NUL": b"m,2026-10-01,buy,a\0b",
    "cp932 among UTF-8": b"m,2026-10-01,buy," + "茶".encode("cp932"),
    "half a character": b"m,2026-10-01,buy,\xe8\x8c",
    "quote inside": b'm,2026-10-01,"buy"x,y',
    "megabyte": b"m,2026-10-01,buy," + b"x" * 1_000_000,
    "wide megabyte": b'm,2026-10-01,buy,"' + "長".encode() * 30_000 + b'"',
}


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", BROKEN_ROWS)
async def test_a_broken_row_is_refused_with_its_line_and_the_others_are_taken(
    deps: Deps, tmp_path: Path, name: str, ending: bytes
) -> None:
    good = [GOOD.format(n=n).encode() for n in range(1, 4)]
    rows = [b"\xef\xbb\xbf" + HEADER.encode(), good[0], b"", BROKEN_ROWS[name], good[1], good[2]]
    path = tmp_path / "rows.csv"
    path.write_bytes(ending.join(rows))
    result = await taken(deps, path)
    assert [(line.number, bool(line.problem)) for line in result.refused] == [(4, True)]
    assert result.new == 3
    assert (await taken(deps, path)).new == 0


async def test_fields_over_several_lines_do_not_shift_the_numbers(deps: Deps, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f'{HEADER}\nm1,2026-10-01,buy,"茶\n\n""緑""\n"\nm2,never,buy,x\n', "utf-8")
    result = await taken(deps, path)
    assert [(line.number, line.column) for line in result.refused] == [(6, 2)]
    assert result.new == 1


async def test_a_quote_that_never_ends_is_told_where_it_begins(deps: Deps, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f'{HEADER}\nm1,2026-10-01,buy,x\nm2,2026-10-01,buy,"x\n' + "m3,2026-10-01,buy,x\n" * 9)
    result = await taken(deps, path)
    assert [line.number for line in result.refused] == [3]
    assert result.new == 1


BROKEN_JSON = [
    "{", "[]", "null", '"x"', "1", "{'a': 1}", '{"member": "m"}{"member": "m"}', "\\x00", "[" * 5000,
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": "a\\u0000b"}',
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": {"a": ["\\u0000"]}}',
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": {"\\u0000": 1}}',
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": 1e400}',
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": [{"a": -1E+999}]}',
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": ' + "9" * 400 + ".5}",
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": NaN}',
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": "\\ud800"}',
    '{"member": {"a": 1}, "time": "2026-10-01", "event": "buy"}',
    '{"member": ["m"], "time": "2026-10-01", "event": "buy"}',
    '{"member": true, "time": "2026-10-01", "event": "buy"}',
    '{"member": 1.5, "time": "2026-10-01", "event": "buy"}',
    '{"member": "m", "time": null, "event": "buy"}',
    '{"member": "m", "time": {"a": 1}, "event": "buy"}',
    '{"member": "m", "time": "2026-10-01", "event": null}',
    '{"member": "m", "time": "2026-10-01", "event": ["buy"]}',
    '{"member": "m", "time": "2026-10-01", "event": "buy", "item": "' + "x" * 40_000 + '"}',
]  # fmt: skip


async def test_every_broken_json_line_is_told_by_its_number(deps: Deps, tmp_path: Path) -> None:
    good = json.dumps({"member": "m1", "time": "2026-10-01T00:00:00Z", "event": "buy", "item": "茶"})
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join([good, *BROKEN_JSON, "", good]), "utf-8")
    result = await taken(deps, path)
    assert [line.number for line in result.refused] == list(range(2, 2 + len(BROKEN_JSON)))
    assert (result.new, result.equal) == (2, 1)


TRACK = '{"type": "track", "userId": "m", "event": "x", "timestamp": "2026-10-01", "properties": '
BROKEN_CALLS = [
    TRACK + '{"a": "\\u0000"}}',
    TRACK + '{"a": [1e999]}}',
    '{"type": "identify", "userId": "m", "traits": {"a": {"b": "\\u0000"}}}',
    '{"type": "identify", "userId": "m", "traits": {"a": 1e400}}',
    '{"type": "identify", "userId": "m", "traits": ["a"]}',
    '{"type": "alias", "userId": "m"}',
    '{"type": "page", "userId": "m"}',
    '{"type": "track", "anonymousId": "m", "event": "x"}',
    '{"type": ["track"], "userId": "m"}',
]


async def test_every_broken_call_in_a_file_is_told_by_its_number(deps: Deps, tmp_path: Path) -> None:
    good = '{"type": "track", "userId": "ada", "event": "x", "timestamp": "2026-10-01T00:00:00Z"}'
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join([good, *BROKEN_CALLS]), "utf-8")
    result = await import_file(deps, path, reading_of(path))
    assert [line.number for line in result.refused] == list(range(2, 2 + len(BROKEN_CALLS)))
    assert result.new == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
async def test_another_encoding_is_named_not_guessed(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEADER}\n{GOOD.format(n=1)}\n", encoding)
    with pytest.raises(Refused, match=r"rows\.csv:1:1: not utf-8 text"):
        reading_of(path, customer="member")
    assert reading_of(path, customer="member", encoding=encoding).columns[0].lstrip("\ufeff") == "member"


@pytest.mark.parametrize("content", [b"", b"\n\n \r\n", b"\xef\xbb\xbf", b"\0\0\0", bytes(range(256))])
async def test_a_file_that_says_nothing_is_refused_at_once(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Refused):
        reading_of(path, event="x")


async def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("/dev/null"), tmp_path / "none" / "deeper"):
        with pytest.raises(Refused, match=r"is no file|cannot be opened"):
            reading_of(path, event="x")


@pytest.mark.parametrize("seed", range(25))
async def test_a_mangled_file_never_breaks_the_import(deps: Deps, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    lines = [HEADER, *(GOOD.format(n=1 + n % 9) for n in range(30))]
    if seed % 3 == 0:
        row = {"member": "m1", "time": "2026-10-01", "event": "buy", "item": {"a": [1, "茶"]}}
        lines = [json.dumps(row, ensure_ascii=False)] * 30
    raw = bytearray("\n".join(lines).encode())
    begin = raw.index(b"\n") + 1
    for _ in range(draw.randint(1, 40)):
        at = draw.randrange(begin, len(raw))
        way = draw.randrange(4)
        if way == 0:
            raw[at] = draw.randrange(256)
        elif way == 1:
            raw[at:at] = draw.choice(
                [b'"', b"\n", b"\r", b",", b"\0", b"{", b"\xef\xbb\xbf", b"\\", b"1e999"]
            )
        elif way == 2:
            del raw[at : at + draw.randint(1, 9)]
        else:
            raw[at:at] = raw[begin : begin + draw.randint(1, 60)]
    path = tmp_path / ("rows.jsonl" if seed % 3 == 0 else "rows.csv")
    path.write_bytes(bytes(raw))
    result = await taken(deps, path)
    numbers = [line.number for line in result.refused]
    assert numbers == sorted(numbers)
    assert result.lines == result.new + result.repeated + len(numbers)
    again = await taken(deps, path)
    assert (again.new, [line.number for line in again.refused]) == (0, numbers)
