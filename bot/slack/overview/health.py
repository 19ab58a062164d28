"""How is the program itself, in a few lines for whoever keeps it running? Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.ports import Json
from bot.slack.mrkdwn import cut, escaped, marked, plain
from bot.slack.overview.words import say

HEALTH = "health"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthShown:
    """Work that waits, when time was looked at last, and what runs.

    Attributes:
        waiting: (kind, rows, seconds the oldest has waited), only kinds with rows.
        tick_age: seconds; None: never yet.
        unsafe: settings of the database that lose promises in a power cut.
        program, database, schema: versions.
    """

    waiting: tuple[tuple[str, int, float], ...] = ()
    tick_age: float | None = None
    unsafe: tuple[str, ...] = ()
    program: str = ""
    database: str = ""
    schema: str = ""


def health_blocks(health: HealthShown, *, language: str) -> list[Json]:
    """Two blocks."""
    lines = [
        say("backlog", language, kind=escaped(cut(kind, 60)), rows=f"{rows:,}", age=_age(age, language))
        for kind, rows, age in health.waiting[:10]
    ]
    lines = lines or [say("backlog.none", language)]
    age = health.tick_age
    lines.append(
        say("tick.never", language) if age is None else say("tick", language, age=_age(age, language))
    )
    lines += [say("unsafe", language, setting=escaped(cut(each, 60))) for each in health.unsafe[:5]]
    versions = {"program": health.program, "database": health.database, "schema": health.schema}
    shown = {name: escaped(cut(value, 40)) for name, value in versions.items()}
    lines.append(say("versions", language, **shown))
    return [
        {"type": "header", "text": plain(say("health", language))},
        {"type": "context", "block_id": HEALTH, "elements": [marked("\n".join(lines))]},
    ]


def _age(seconds: float, language: str) -> str:
    is_ja = language.lower().startswith("ja")
    for size, ja, en in ((86_400, "日", "d"), (3_600, "時間", "h"), (60, "分", "min")):
        if seconds >= size:
            return f"{seconds / size:.0f}{ja}" if is_ja else f"{seconds / size:.0f} {en}"
    return f"{seconds:.0f}秒" if is_ja else f"{seconds:.0f} s"
