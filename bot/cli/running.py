"""How does a command run the program's asynchronous parts, and how does it tell people what went wrong?"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import stat
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from bot import logs
from bot.errors import Misconfigured, Refused, Unavailable
from bot.settings import Settings


def settings_of_environment() -> Settings:
    """Read the environment and `.env`, or say which setting is wrong and exit with 2."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"]).upper()
            told = problem["msg"].removeprefix("Value error, ")
            typer.echo(f"yorisoi: {name}: {told} (correct it in the environment or in .env)", err=True)
        raise SystemExit(2) from None
    except (OSError, ValueError) as error:
        stop(f".env cannot be read: {error} (save it as UTF-8, or move it away)", code=2)


def refuse_open_keys(path: Path = Path(".env")) -> None:
    """Exit with 2 where other users of this machine can read the keys in `.env`."""
    if os.name != "posix" or not path.is_file():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        stop(
            f"{path}:1:1: others can read it (mode {mode:04o}), and it holds keys; run: chmod 600 {path}"
            f" (ほかの利用者が読めます: chmod 600 {path} を実行してください)",
            code=2,
        )


def as_text(value: str | None) -> str | None:
    """What was typed, if it is text.

    Raises:
        BadParameter: it holds bytes that are no UTF-8, which no id or name of ours does.
    """
    if value is not None and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise typer.BadParameter("is not UTF-8 text")
    return value


T = TypeVar("T")
_PLACE = re.compile(r"[^\n]+?:\d+:\d+: ")


def run(work: Callable[[Settings], Coroutine[Any, Any, T]], *, is_lasting: bool = False) -> T:
    """Run a command's work with the environment's settings; what cannot be done becomes one line and exit 1.

    Args:
        is_lasting: a program that runs on logs as LOG_LEVEL says; a command that ends speaks for itself and
            logs warnings only (all of it with LOG_LEVEL=DEBUG).
    """
    if is_lasting:
        refuse_open_keys()
    settings = settings_of_environment()
    level = settings.log_level.upper()
    logs.configure(
        level if is_lasting or level == "DEBUG" else max(level, "WARNING", key=_weight),
        is_human=sys.stderr.isatty(),
    )
    try:
        return asyncio.run(work(settings))
    except (Misconfigured, Refused) as error:
        stop(str(error))
    except Unavailable as error:
        stop(f"{error} did not answer; nothing is lost, run the same command again")
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _weight(level: str) -> int:
    return logging.getLevelNamesMapping()[level]


def stop(message: str, *, code: int = 1) -> NoReturn:
    """Say what is wrong on stderr and exit."""
    prefix = "" if _PLACE.match(message) else "yorisoi: "
    typer.echo(prefix + message, err=True)
    raise SystemExit(code)
