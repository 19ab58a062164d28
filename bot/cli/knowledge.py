"""`yorisoi knowledge`: what customers' questions are answered from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.running import as_text, run, stop
from bot.cli.why import Language, in_language, language_of
from bot.errors import Misconfigured
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.deps import Deps


def register(app: typer.Typer) -> None:
    """Add the commands."""
    knowledge = typer.Typer(
        name="knowledge",
        help="Pages that customers' questions are answered from.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @knowledge.command()
    def apply(
        folder: Annotated[Path, typer.Argument(help="A folder with *.md pages.")], language: Language = None
    ) -> None:
        """Make the pages of a folder the whole knowledge: all of them, or nothing when one is wrong.

        Example: yorisoi knowledge apply knowledge/
        """
        from bot.flows.answers.learn import learn
        from bot.intake.rule_files import read_pages
        from followups.rules.parsing import RuleError

        tongue = language_of(language)
        try:
            files = read_pages(folder)
        except Misconfigured as error:
            stop(str(error))

        async def work(deps: Deps) -> None:
            try:
                learnt = await learn(deps, files)
            except RuleError as error:
                for problem in error.problems:
                    typer.echo(problem.said(tongue), err=True)
                raise SystemExit(1) from None
            done, is_ja = learnt.applied, tongue == "ja"
            typer.echo(
                f"{learnt.pages} ページ、追加 {done.added}、そのまま {done.kept}、削除 {done.removed}"
                if is_ja
                else f"{learnt.pages} pages, {done.added} added, {done.kept} kept, {done.removed} removed"
            )
            if learnt.is_near:
                typer.echo("言葉に加えて意味でも検索します" if is_ja else "searched by meaning, too")

        _with_deps(work, tongue)

    @knowledge.command(name="list")
    def list_passages(language: Language = None) -> None:
        """List the passages by file and heading, with their length.

        Example: yorisoi knowledge list
        """
        from bot.flows.answers.learn import known

        async def work(deps: Deps) -> None:
            for row in await known(deps):
                typer.echo(f"{row.path}#{row.heading.rsplit(' › ', 1)[-1]}  {row.language}  {len(row.text)}")

        _with_deps(work, language_of(language))

    @knowledge.command()
    def ask(
        question: Annotated[str, typer.Argument(help="What a customer might write.", callback=as_text)],
        language: Language = None,
    ) -> None:
        """Show which passages a question would be answered from, and whether they cover it. Sends nothing.

        Example: yorisoi knowledge ask "請求書はどこで発行できますか"
        """
        from bot.flows.answers.learn import look_at
        from followups.answers.passages import COVERED_FROM, extract

        tongue = language_of(language)

        async def work(deps: Deps) -> None:
            found = await look_at(deps, question)
            for each in found:
                mark = "✓" if each.score >= COVERED_FROM else "·"
                typer.echo(f"{mark} {each.score:.2f}  {each.passage.source}")
            if found and found[0].score >= COVERED_FROM:
                typer.echo(extract(found[0].passage.text))
            else:
                typer.echo(
                    "担当者に引き継ぎます（知識にありません）"
                    if tongue == "ja"
                    else "a person would get this (not covered)"
                )

        _with_deps(work, tongue)

    app.add_typer(knowledge)


def _with_deps(work: Callable[[Deps], Awaitable[None]], language: str) -> None:
    async def with_database(settings: Settings) -> None:
        from dataclasses import replace

        from bot.llm.client import answerer_of
        from bot.opening import connected

        async with connected(settings) as deps, answerer_of(settings) as answerer:
            await work(replace(deps, answerer=answerer))

    run(in_language(with_database, language))
