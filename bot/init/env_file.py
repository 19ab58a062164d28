"""How does `.env` take new settings and keep everything else that stands in it?"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+=,~%")
_HEADING = "# Yorisoi. 鍵が入っています: 人に見せないでください / Holds keys: show it to nobody."


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """`.env` after an edit. `kept`: names that have another value and were left alone."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]


def values_of(text: str) -> dict[str, str]:
    """The settings in a `.env`, empty ones left out; names in upper case, as the program reads them."""
    read = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name.upper(): value for name, value in read.items() if value}


def edited(text: str, answers: Mapping[str, str], *, is_forced: bool = False) -> Edited:
    """Put answers in: new names at the end, empty ones in their place, set ones only when forced.

    Lines that are not about an answer stay as they are, to the letter.
    """
    known = values_of(text)
    added: list[str] = []
    changed: list[str] = []
    kept: list[str] = []
    wanted: dict[str, str] = {}
    for name, value in answers.items():
        if known.get(name) == value:
            continue
        if name in known and not is_forced:
            kept.append(name)
            continue
        (changed if name in known else added).append(name)
        wanted[name] = value
    lines: list[str] = []
    placed: set[str] = set()
    for binding in parse_stream(io.StringIO(text)):
        name = (binding.key or "").upper()
        if name in wanted:
            placed.add(name)
            blank = re.match(r"\s*", binding.original.string)
            lines.append(f"{blank[0] if blank else ''}{name}={quoted(wanted[name])}\n")
        else:
            lines.append(binding.original.string)
    whole = "".join(lines)
    if whole and not whole.endswith("\n"):
        whole += "\n"
    if not whole.strip():
        whole = f"{_HEADING}\n"
    whole += "".join(f"{name}={quoted(value)}\n" for name, value in wanted.items() if name not in placed)
    return Edited(
        text=whole if wanted else text, added=tuple(added), changed=tuple(changed), kept=tuple(kept)
    )


def quoted(value: str) -> str:
    """A value as `.env` takes it."""
    if value and set(value) <= _PLAIN:
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write_private(path: Path, text: str) -> None:
    """Write for the owner alone, whole or not at all, whatever stood there before."""
    target = path.resolve()
    unfinished = target.with_name(f"{target.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)


def is_private(path: Path) -> bool:
    """Can only its owner read it?"""
    return not stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
