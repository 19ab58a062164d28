"""What do the lines of a file say: CSV, a table in columns, or JSON lines?"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from bot.errors import Refused
from bot.intake.wrong import unstorable
from followups.times.zones import zone_of

Format = Literal["csv", "table", "jsonl"]
Values = Mapping[str, Any]

_CUSTOMER = ("customer_id", "customerid", "customer", "user_id", "userid", "user", "external_id",
             "member_id", "顧客id", "顧客番号", "会員id", "会員番号", "ユーザーid", "id")  # fmt: skip
_TIME = ("timestamp", "occurred_at", "datetime", "time", "date", "at", "created_at", "event_time",
         "invoicedate", "order_date", "日時", "日付", "発生日時", "購入日", "注文日")  # fmt: skip
_EVENT = ("event", "event_name", "event_type", "action", "イベント", "イベント名", "行動")
_MESSAGE_ID = ("message_id", "messageid", "event_id", "メッセージid")
_SEGMENT = {"userId", "anonymousId", "groupId", "messageId"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the file, from 1. Exactly one of `values` and `problem` is there.

    Attributes:
        column: which field the problem is in, from 1 (0: the whole line).
    """

    number: int
    values: Values | None = None
    problem: str = ""
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read.

    Attributes:
        columns: the names in its first line (for JSON lines: of its first object), in order.
        is_segment: JSON lines in Segment's format: no columns to choose.
        event: the one name of all events, or None: `event_column` says it.
        properties: the columns kept as properties.
        timezone: of times without an offset (IANA).
    """

    format: Format
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    is_segment: bool = False
    customer: str = ""
    time: str = ""
    event: str | None = None
    event_column: str | None = None
    message_id: str | None = None
    properties: tuple[str, ...] = ()
    timezone: str = "Asia/Tokyo"

    def position(self, name: str) -> int:
        """Where a column stands, from 1; 0 when it does not."""
        return self.columns.index(name) + 1 if name in self.columns else 0

    def shown(self) -> str:
        """The choices, for people."""
        if self.is_segment:
            return f"JSON lines in Segment's format, {self.encoding}"
        event = f'event "{self.event}"' if self.event else f"event from {self.event_column}"
        known = f"message id from {self.message_id}" if self.message_id else "message id from the content"
        kept = ", ".join(self.properties) or "none"
        return (
            f"{self.format}, {self.encoding}: customer from {self.customer}, time from {self.time}"
            f" ({self.timezone} where no offset is given), {event}, properties {kept}, {known}"
        )


def reading_of(
    path: Path,
    *,
    encoding: str = "utf-8",
    customer: str | None = None,
    time: str | None = None,
    event: str | None = None,
    event_column: str | None = None,
    properties: Sequence[str] = (),
    message_id: str | None = None,
    timezone: str = "Asia/Tokyo",
) -> Reading:
    """Look at the file's beginning and decide how to read it; what is named wins over what is guessed.

    Raises:
        Refused: a column is missing or cannot be guessed; the message lists what there is.
    """
    try:
        if path.exists() and not path.is_file():
            raise Refused(
                ja=f"{path}はファイルではありません（CSVかJSON linesのファイルを指定してください）。",
                en=f"{path}: is no file (name one; it is read twice, so a pipe cannot be taken)",
            )
        with path.open(encoding=_codec(encoding), errors="surrogateescape", newline="") as lines:
            first = next((line for line in lines if line.strip()), "")
    except UnicodeError:
        first = "\0"
    except LookupError:
        raise Refused(
            ja=f"文字コード{encoding}は使えません。utf-8かcp932を指定してください。",
            en=f"{path}: the encoding {encoding} is unknown (use utf-8 or cp932)",
        ) from None
    except OSError as error:
        raise Refused(
            ja=f"{path}を開けません（{error.strerror}）。", en=f"{path}: cannot be opened: {error.strerror}"
        ) from None
    if "\0" in first:
        raise Refused(
            ja=f"{path}:1:1: {encoding}の文字ではありません（UTF-8で保存し直すか、--encoding utf-16"
            " のように指定してください）",
            en=f"{path}:1:1: not {encoding} text (save it as UTF-8, or say what it is: --encoding utf-16)",
        )
    if not first.strip():
        raise Refused(ja=f"{path}は空です。", en=f"{path}:1:1: the file is empty")
    form, delimiter = _form_of(path, first)
    columns = _columns_of(path, form, delimiter, first)
    base = Reading(format=form, encoding=encoding, delimiter=delimiter, columns=columns, timezone=timezone)
    if form == "jsonl" and not customer and (_SEGMENT & {*columns}):
        return Reading(**{**_fields(base), "is_segment": True})
    chosen: dict[str, Any] = {
        "customer": _choose(path, columns, customer, _CUSTOMER, "--customer"),
        "time": _choose(path, columns, time, _TIME, "--time"),
        "message_id": _maybe(path, columns, message_id, _MESSAGE_ID, "--message-id"),
        "event": event,
        "event_column": None,
    }
    if event is None:
        column = _maybe(path, columns, event_column, _EVENT, "--event-column")
        if column is None:
            raise Refused(
                ja=f"{path}:1:1: 何が起きた記録か分かりません"
                "（例: --event purchase、または --event-column 列名）",
                en=f"{path}:1:1: what happened is not said (name it, e.g. --event purchase, or say which"
                f" column does: --event-column COLUMN; there are: {', '.join(columns)})",
            )
        chosen["event_column"] = column
    taken = {chosen["customer"], chosen["time"], chosen["message_id"], chosen["event_column"]}
    kept = tuple(properties) or tuple(name for name in columns if name not in taken)
    for name in kept:
        _choose(path, columns, name, (), "--property")
    return Reading(**{**_fields(base), **chosen, "properties": kept})


def _fields(reading: Reading) -> dict[str, Any]:
    return {name: getattr(reading, name) for name in reading.__dataclass_fields__}


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding.lower().replace("-", "") in {"utf8", "utf8sig"} else encoding


def _form_of(path: Path, first: str) -> tuple[Format, str]:
    if path.suffix.lower() in {".jsonl", ".ndjson"} or first.lstrip().startswith("{"):
        return "jsonl", ""
    for delimiter in (",", "\t", ";"):
        if delimiter in first:
            return "csv", delimiter
    return ("table", "") if len(first.split()) > 1 else ("csv", ",")


def _columns_of(path: Path, form: Format, delimiter: str, first: str) -> tuple[str, ...]:
    if form == "jsonl":
        try:
            row = from_json(first)
        except (ValueError, TypeError) as error:
            raise Refused(
                ja=f"{path}:1:1: JSONとして読めません（{error}）", en=f"{path}:1:1: not JSON: {error}"
            ) from None
        return tuple(row) if isinstance(row, dict) else ()
    names = first.split() if form == "table" else next(csv.reader([first], delimiter=delimiter))
    columns = tuple(name.strip() for name in names)
    if len({*columns}) != len(columns):
        raise Refused(
            ja=f"{path}:1:1: 同じ名前の列があります（1行目の列名を変えてください）",
            en=f"{path}:1:1: two columns have the same name (rename one in the first line)",
        )
    return columns


def _choose(
    path: Path, columns: Sequence[str], named: str | None, guesses: Sequence[str], option: str
) -> str:
    found = _maybe(path, columns, named, guesses, option)
    if found is None:
        raise Refused(
            ja=f"{path}:1:1: どの列か分かりません"
            f"（{option} 列名 で指定してください。列: {', '.join(columns)}）",
            en=f"{path}:1:1: the column cannot be guessed (say it: {option} COLUMN; there are:"
            f" {', '.join(columns)})",
        )
    return found


def _maybe(
    path: Path, columns: Sequence[str], named: str | None, guesses: Sequence[str], option: str
) -> str | None:
    if named is not None:
        if named not in columns:
            raise Refused(
                ja=f"{path}:1:1: 列「{named}」はありません（列: {', '.join(columns)}）",
                en=f'{path}:1:1: there is no column "{named}" for {option} (there are: {", ".join(columns)})',
            )
        return named
    by_name = {re.sub(r"[\s-]+", "_", column.lower()): column for column in columns}
    return next((by_name[guess] for guess in guesses if guess in by_name), None)


# --- lines --------------------------------------------------------------------------------------------


def lines_of(path: Path, reading: Reading) -> Iterator[Line]:
    """Every line after the header (JSON lines: every line), blank ones left out."""
    with path.open(encoding=_codec(reading.encoding), errors="surrogateescape", newline="") as file:
        for line in _split(file, reading):
            yield line if line.values is None or _is_storable(line.values) else _garbled(line, reading)


_ODD = re.compile(r"\\u0000|[eE]\+?\d{3}|\d{300}")
"""What a value must hold in its text to be one that PostgreSQL cannot store."""


def _split(file: TextIOWrapper, reading: Reading) -> Iterator[Line]:
    if reading.format == "jsonl":
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                values = from_json(text, allow_inf_nan=False)
            except ValueError as error:
                yield Line(number=number, problem=f"not JSON: {error} (one object per line)")
                continue
            except TypeError:  # half a surrogate pair: a byte that is none of this encoding's
                yield Line(number=number, problem=f"is not {reading.encoding} text (save it as UTF-8)")
                continue
            if isinstance(values, dict):
                wrong = unstorable(values) if _ODD.search(text) else None
                if wrong is None:
                    yield Line(number=number, values=values)
                else:
                    place = reading.position(re.split(r"[.\[]", wrong.where)[0])
                    yield Line(number=number, problem=f"{wrong.where} {wrong.en}", column=place)
            else:
                yield Line(number=number, problem="not an object (one object per line)")
    elif reading.format == "table":
        rows = ((number, text.split()) for number, text in enumerate(file, start=1))
        yield from _rows(rows, reading)
    else:
        yield from _rows(_csv_rows(file, reading.delimiter), reading)


def _csv_rows(file: TextIOWrapper, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, f"not CSV: {error} (quote fields that hold quotes or line breaks)"


def _rows(rows: Iterator[tuple[int, list[str] | str]], reading: Reading) -> Iterator[Line]:
    is_header = True
    width = len(reading.columns)
    for number, fields in rows:
        if isinstance(fields, str):
            yield Line(number=number, problem=fields)
        elif not fields or (len(fields) == 1 and not fields[0].strip()):
            continue
        elif is_header:
            is_header = False
        elif len(fields) != width:
            problem = f"has {len(fields)} fields where the first line names {width} (quote or complete it)"
            yield Line(number=number, problem=problem, column=min(len(fields), width) + 1)
        else:
            yield Line(number=number, values=dict(zip(reading.columns, fields, strict=True)))


def _is_storable(values: Values) -> bool:
    try:
        text = "".join([value for value in values.values() if isinstance(value, str)])
        return "\0" not in text and bool(text.isascii() or text.encode() is not None)
    except UnicodeEncodeError:
        return False


def _garbled(line: Line, reading: Reading) -> Line:
    assert line.values is not None
    for name, value in line.values.items():
        if isinstance(value, str) and not _is_storable({name: value}):
            other = "cp932" if _codec(reading.encoding) == "utf-8-sig" else "utf-8"
            problem = f"{name} is not {reading.encoding} text, or holds NUL (try --encoding {other})"
            return Line(number=line.number, problem=problem, column=reading.position(name))
    return Line(number=line.number, problem="holds text that cannot be stored")


# --- values -------------------------------------------------------------------------------------------

_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?")
_SLASHED = re.compile(r"(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})日?(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_EPOCH = re.compile(r"-?\d{9,10}(\.\d+)?|\d{13}")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?")


@lru_cache(maxsize=65536)
def moment_of(text: str, timezone: str) -> datetime | None:
    """Read a time: ISO 8601, `19970101`, `1997/1/1 9:30`, an epoch in seconds or milliseconds; None: not one.

    Without an offset it is local in `timezone` (IANA); a day without a time is when that day begins.
    """
    text = text.strip()
    zone = zone_of(timezone)
    try:
        if (found := _COMPACT.fullmatch(text) or _SLASHED.fullmatch(text)) is not None:
            return _local([int(part or 0) for part in found.groups()], zone)
        if _EPOCH.fullmatch(text):
            seconds = float(text) / (1000 if len(text) == 13 else 1)
            return datetime.fromtimestamp(seconds, tz=UTC)
        at = datetime.fromisoformat(text)
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _local(parts: Sequence[int], zone: ZoneInfo) -> datetime:
    year, month, day, hour, minute, second = parts
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)


def value_of(text: Any) -> Any:
    """A property's value: numbers as numbers (`11.77`, not `007`), the rest as it stands."""
    if not isinstance(text, str):
        return text
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text
