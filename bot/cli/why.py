"""`yorisoi why`: why did a customer get something, or nothing?"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated

import typer

from bot.cli.running import as_text, run, stop
from bot.errors import Refused
from bot.settings import Settings

Language = Annotated[
    str | None, typer.Option("--language", "-l", help="ja or en. Not given: the environment's LANG.")
]


def language_of(asked: str | None) -> str:
    """`ja` or `en`: as asked, else the environment's (LC_ALL, LC_MESSAGES, LANG), else English."""
    if asked is not None and asked.lower()[:2] not in {"ja", "en"}:
        raise typer.BadParameter(f"{asked} is neither ja nor en")
    known = asked or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ja" if known.lower().startswith("ja") else "en"


def in_language(
    work: Callable[[Settings], Awaitable[None]], language: str
) -> Callable[[Settings], Coroutine[None, None, None]]:
    """The same work, its refusals told in this language."""

    async def told(settings: Settings) -> None:
        try:
            await work(settings)
        except Refused as refusal:
            stop(refusal.in_language(language))

    return told


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def why(
        customer: Annotated[
            str,
            typer.Argument(help="The product's id of the customer, or a LINE user id.", callback=as_text),
        ],
        rule: Annotated[str | None, typer.Argument(help="Only this rule.", callback=as_text)] = None,
        language: Language = None,
    ) -> None:
        """Tell what each rule decides about a customer now, what was decided before, and what LINE answered.

        Example: yorisoi why user-42 inactive-14d --language ja
        """
        tongue = language_of(language)

        async def work(settings: Settings) -> None:
            from bot.flows.rules.why import why as ask
            from bot.opening import connected

            async with connected(settings) as deps:
                for line in await ask(deps, customer, rule, language=tongue):
                    typer.echo(line)

        run(in_language(work, tongue))
