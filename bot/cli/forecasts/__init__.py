"""`yorisoi rules preview` and `yorisoi rules backtest`: what would rules do, now and in the own past?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.running import run, stop
from bot.cli.why import Language, in_language, language_of
from bot.settings import Settings
from followups.rules.durations import parse_duration
from followups.rules.parsing import RuleError
from followups.times.zones import day_begins, zone_of

if TYPE_CHECKING:
    from bot.deps import Deps

OnCustomers = Callable[[int, int], None]

_HELP_RULE = "The id of a stored rule, in any state; or a file, rules/x.yaml, not published yet."


def register(app: typer.Typer) -> None:
    """Add the commands to the group `rules`."""
    rules = next(
        group.typer_instance
        for group in app.registered_groups
        if group.typer_instance is not None and group.typer_instance.info.name == "rules"
    )
    _add_preview(rules)
    _add_backtest(rules)


def _add_preview(rules: typer.Typer) -> None:
    @rules.command()
    def preview(
        rule: Annotated[str | None, typer.Argument(help=_HELP_RULE)] = None,
        file: Annotated[
            Path | None, typer.Option("--file", help="A rule file that is not published yet.")
        ] = None,
        language: Language = None,
    ) -> None:
        """Show whom a rule would reach if it were enabled now, five of the messages, and why not the others.

        Nothing is written. Example: yorisoi rules preview inactive-14d
        """
        if (rule is None) == (file is None):
            raise typer.BadParameter("name either a rule or --file")
        name = str(file) if file is not None else str(rule)
        tongue = language_of(language)

        async def work(deps: Deps) -> None:
            from bot.flows.rules.preview import preview as ask
            from bot.flows.rules.preview import told

            with progress() as on_customers:
                answer = await ask(deps, name, on_customers=on_customers)
            for line in told(answer, tongue):
                typer.echo(line)

        _with_deps(work, tongue)


def _add_backtest(rules: typer.Typer) -> None:
    @rules.command()
    def backtest(  # noqa: PLR0917
        rule: Annotated[list[str], typer.Argument(help=_HELP_RULE)],
        start: Annotated[
            str | None, typer.Option("--from", help="A day (2026-01-31), or a span before the end (90d).")
        ] = None,
        end: Annotated[
            str | None, typer.Option("--to", help="The last day. Not given: that of the latest event.")
        ] = None,
        assume_reachable: Annotated[
            bool,
            typer.Option(
                "--assume-reachable/--reachable-as-now",
                help="Take everybody as linked and agreed, or as they are today.",
            ),
        ] = True,
        lead_open_for: Annotated[
            str, typer.Option("--lead-open-for", help="How long people take to settle a lead.")
        ] = "1d",
        reps: Annotated[
            int, typer.Option("--reps", min=1, help="People who take leads, for leads per person and day.")
        ] = 1,
        html: Annotated[Path | None, typer.Option("--html", help="Write a page with plots.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
        language: Language = None,
    ) -> None:
        """Replay the own history through rules with every gate on: who, when, how many a day, held by what.

        Nothing is written to the database. Example: yorisoi rules backtest inactive-14d --from 90d
        """
        tongue = language_of(language)
        lead_span = _span(lead_open_for, "--lead-open-for")

        async def work(deps: Deps) -> None:
            from bot.cli.forecasts.page import page_of
            from bot.cli.forecasts.text import json_of, told
            from bot.flows.rules.backtest import backtest as replay
            from db.rulebook.rules import current_rulebook

            async with deps.db.begin() as session:
                timezone = (await current_rulebook(session)).policy.timezone
            with progress() as on_customers:
                answer = await replay(
                    deps,
                    rule,
                    start=_start(start, timezone),
                    end=_day(end, timezone, "--to", is_end=True) if end is not None else None,
                    assume_reachable=assume_reachable,
                    lead_open_for=lead_span,
                    reps=reps,
                    on_customers=on_customers,
                )
            if html is not None:
                try:
                    html.write_text(page_of(answer, tongue), encoding="utf-8")
                except OSError as error:
                    stop(f"{html}: {error.strerror} (choose another place with --html)")
            for line in [json_of(answer)] if as_json else told(answer, tongue):
                typer.echo(line)

        _with_deps(work, tongue)


def _start(text: str | None, timezone: str) -> datetime | timedelta | None:
    if text is None:
        return None
    if text[-1:].isalpha():
        return _span(text, "--from")
    return _day(text, timezone, "--from")


def _span(text: str, option: str) -> timedelta:
    span = parse_duration(text)
    if span is None:
        raise typer.BadParameter(f"{option}: {text} is no span (e.g. 90d, 12w, 36h)")
    return span


def _day(text: str, timezone: str, option: str, *, is_end: bool = False) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: {text} is no day (e.g. 2026-01-31)") from None
    return day_begins(day + timedelta(days=1) if is_end else day, zone_of(timezone))


@contextmanager
def progress() -> Iterator[OnCustomers]:
    """A bar on stderr for long work over customers: call what is yielded with (done, of all)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("customers", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _with_deps(work: Callable[[Deps], Awaitable[None]], language: str) -> None:
    async def with_database(settings: Settings) -> None:
        from bot.opening import connected

        async with connected(settings) as deps:  # nobody is asked: LINE's and Slack's libraries stay unread
            try:
                await work(deps)
            except RuleError as error:
                for problem in error.problems:
                    typer.echo(problem.said(language), err=True)
                raise SystemExit(1) from None

    run(in_language(with_database, language))
