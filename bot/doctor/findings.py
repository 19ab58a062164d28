"""What is said of one thing that was looked at: how bad, what it is, and how to put it right?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """`note`: nothing is wrong, but somebody should have heard it."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


MARKS = {Level.OK: "✓", Level.NOTE: "i", Level.WARNING: "!", Level.ERROR: "✗"}
_WORST_LAST = (Level.OK, Level.NOTE, Level.WARNING, Level.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One sentence in both languages."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`key` is the part and the thing (`line.webhook`), and never changes. Warnings and errors have a fix."""

    key: str
    level: Level
    what: Words
    fix: Words | None = None

    @property
    def is_problem(self) -> bool:
        """Something is to be done."""
        return self.level in {Level.WARNING, Level.ERROR}

    def line(self, language: str | None = None) -> str:
        """One line for people, in `ja`, `en` or (None) both."""
        ja = f"{self.what.ja} → {self.fix.ja}" if self.fix else self.what.ja
        en = f"{self.what.en} → {self.fix.en}" if self.fix else self.what.en
        said = {"ja": ja, "en": en}.get(language or "", f"{ja} / {en}")
        return f"{MARKS[self.level]} {self.key}: {' '.join(said.split())}"

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "key": self.key,
            "level": self.level.value,
            "ja": self.what.ja,
            "en": self.what.en,
            "fix_ja": self.fix.ja if self.fix else None,
            "fix_en": self.fix.en if self.fix else None,
        }


def ok(key: str, ja: str, en: str) -> Finding:
    """It is as it should be."""
    return Finding(key=key, level=Level.OK, what=Words(ja=ja, en=en))


def note(key: str, ja: str, en: str) -> Finding:
    """Not wrong, but to be known."""
    return Finding(key=key, level=Level.NOTE, what=Words(ja=ja, en=en))


def warning(key: str, ja: str, en: str, *, fix: tuple[str, str]) -> Finding:
    """Works, though not as people will expect. `fix`: what to do, in Japanese and English."""
    return Finding(key=key, level=Level.WARNING, what=Words(ja=ja, en=en), fix=Words(ja=fix[0], en=fix[1]))


def error(key: str, ja: str, en: str, *, fix: tuple[str, str]) -> Finding:
    """Does not work. `fix`: what to do, in Japanese and English."""
    return Finding(key=key, level=Level.ERROR, what=Words(ja=ja, en=en), fix=Words(ja=fix[0], en=fix[1]))


def has_error(findings: Iterable[Finding]) -> bool:
    """Must something be done before this can run?"""
    return any(finding.level is Level.ERROR for finding in findings)


def count_of(findings: Iterable[Finding], level: Level) -> int:
    """How many are of this level."""
    return sum(finding.level is level for finding in findings)


def worst_last(findings: Iterable[Finding]) -> list[Finding]:
    """What is right, then notes, warnings and errors, which stay in sight; within each as they came."""
    return sorted(findings, key=lambda finding: _WORST_LAST.index(finding.level))
