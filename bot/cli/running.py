"""How does a command run the program's asynchronous parts, and how does it tell people what went wrong?"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from bot import logs
from bot.errors import Misconfigured, Refused
from bot.settings import Settings


def settings_of_environment() -> Settings:
    """Read the environment and `.env`, or say which setting is wrong and exit with 2."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"environment: {name}: {problem['msg']} (set it in the environment or .env)", err=True)
        raise SystemExit(2) from None


T = TypeVar("T")


def run(work: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work with the environment's settings; refusals become one line on stderr and exit 1."""
    settings = settings_of_environment()
    logs.configure(settings.log_level, is_human=sys.stderr.isatty())
    try:
        return asyncio.run(work(settings))
    except (Misconfigured, Refused) as error:
        stop(str(error))
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def stop(message: str, *, code: int = 1) -> NoReturn:
    """Say what is wrong on stderr and exit."""
    typer.echo(f"yorisoi: {message}", err=True)
    raise SystemExit(code)
