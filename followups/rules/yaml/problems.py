"""What is wrong with a file, where, and what would be right?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from followups.rules.yaml.slips import narrow


class Placed(Protocol):
    """Something that stands somewhere in a file; line and column count from 1."""

    @property
    def line(self) -> int:
        """The line."""
        ...

    @property
    def column(self) -> int:
        """The column."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: `file:line:column: what is wrong (what to do)`. Line and column count from 1."""

    path: str
    line: int
    column: int
    ja: str
    en: str

    def said(self, language: str) -> str:
        """The line for people, in `ja` or `en`."""
        return f"{self.path}:{self.line}:{self.column}: {self.ja if language == 'ja' else self.en}"

    def __str__(self) -> str:
        return self.said("en")


class RuleError(Exception):
    """A file cannot be taken as it is; `problems` holds everything found, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, if any is."""
    plain = narrow(word[:100]) or word[:100]
    found = get_close_matches(plain, [str(each) for each in known], n=1, cutoff=0.6)
    return found[0] if found else None


class Problems:
    """Collects the problems of one file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[Problem] = []

    def add(self, at: Placed, ja: str, en: str) -> None:
        """Note a mistake at this place."""
        self.found.append(Problem(self.path, at.line, at.column, ja, en))

    def unknown(self, at: Placed, word: str, known: Iterable[str], *, ja: str, en: str) -> None:
        """Note a word that is none of the known ones, with the nearest of them.

        Args:
            ja: what the word should have been ("キー").
            en: likewise ("key").
        """
        words = list(known)
        shown = word if len(word) <= 60 else word[:57] + "..."
        near = nearest(word, words)
        if near is not None:
            self.add(
                at,
                f"「{shown}」という{ja}はありません（「{near}」ではありませんか）",
                f"unknown {en} “{shown}” (did you mean “{near}”?)",
            )
        elif words:
            listed = ", ".join(words[:20])
            self.add(
                at,
                f"「{shown}」という{ja}はありません（使えるもの: {listed}）",
                f"unknown {en} “{shown}” (known: {listed})",
            )
        else:
            self.add(
                at,
                f"「{shown}」という{ja}はありません（一つもありません）",
                f"unknown {en} “{shown}” (there is none)",
            )

    def not_yet(self, at: Placed, word: str) -> None:
        """Note a word of the language that cannot be used yet."""
        self.add(
            at,
            f"「{word}」はこのバージョンではまだ使えません（外してください）",
            f"“{word}” is not available in this version yet (leave it out)",
        )

    def stop(self) -> None:
        """Raise RuleError if anything was found."""
        if self.found:
            raise RuleError(self.found)
