"""`yorisoi report`: what did the rules achieve?"""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.running import run, stop
from bot.cli.why import Language, in_language, language_of
from bot.settings import Settings
from followups.rules.parsing import RuleError
from followups.times.zones import day_begins, zone_of

if TYPE_CHECKING:
    from bot.deps import Deps
    from followups.measure.figures import Figures


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def report(  # noqa: PLR0917
        rule: Annotated[str | None, typer.Option("--rule", help="Only this rule (its id).")] = None,
        start: Annotated[
            str | None,
            typer.Option("--from", help="Only passages that began from this day on (2026-01-31)."),
        ] = None,
        end: Annotated[
            str | None, typer.Option("--to", help="Only passages that began up to this day.")
        ] = None,
        html: Annotated[Path | None, typer.Option("--html", help="Write a page with plots.")] = None,
        csv: Annotated[
            Path | None, typer.Option("--csv", help="Write the figures for a spreadsheet.")
        ] = None,
        parquet: Annotated[
            Path | None,
            typer.Option("--parquet", help="Write the figures as a Parquet file (needs pyarrow)."),
        ] = None,
        plan: Annotated[
            str | None,
            typer.Option("--plan", help="How many customers a rule's comparison needs: its id, or its file."),
        ] = None,
        language: Language = None,
    ) -> None:
        """Show what each rule achieved against the customers who are held out, and how sure that is.

        Without --language the page shows Japanese and English. Example: yorisoi report --html report.html
        """
        tongue = language_of(language)
        if plan is not None and any(given is not None for given in (rule, start, end, html, csv, parquet)):
            raise typer.BadParameter("--plan stands alone (give no other option but --language)")

        async def work(settings: Settings) -> None:
            from bot.opening import connected

            async with connected(settings) as deps:
                if plan is not None:
                    await _plan(deps, plan, tongue)
                    return
                found = await _figures(deps, rule, start, end)
                _write(found, html, csv, parquet, ("ja", "en") if language is None else (tongue,))
                from bot.cli.report.text import told

                more = [*await _insight(deps, rule, tongue), *await _learned(deps, tongue)]
                for line in [*told(found, tongue), *more]:
                    typer.echo(line)

        run(in_language(work, tongue))


async def _insight(deps: Deps, rule: str | None, tongue: str) -> list[str]:
    from bot.flows.measure.read_insight import last_insight, told

    found = await last_insight(deps)
    return told(found, tongue, rule_id=rule) if found is not None else []


async def _learned(deps: Deps, tongue: str) -> list[str]:
    """How far the learned score can be relied on; nothing where none was tried."""
    from db.rulebook.learned import last_trial
    from followups.predict.reliability import reliability_said

    async with deps.db.begin() as session:
        trial = await last_trial(session)
    if trial is None:
        return []
    said = reliability_said(trial)
    return ["", f"見込みの学習: {said.ja}" if tongue == "ja" else f"learned score: {said.en}"]


async def _plan(deps: Deps, name: str, tongue: str) -> None:
    from bot.cli.report.text import plan_told
    from bot.flows.measure.plan import plan_rule

    try:
        planned = await plan_rule(deps, name)
    except RuleError as error:
        for problem in error.problems:
            typer.echo(problem.said(tongue), err=True)
        raise SystemExit(1) from None
    for line in plan_told(planned, tongue):
        typer.echo(line)


async def _figures(deps: Deps, rule: str | None, start: str | None, end: str | None) -> Figures:
    from bot.flows.measure.report import figures
    from db.rulebook.rules import current_rulebook

    async with deps.db.begin() as session:
        timezone = (await current_rulebook(session)).policy.timezone
    return await figures(
        deps,
        start=_day(start, timezone, "--from"),
        end=_day(end, timezone, "--to", is_end=True),
        rule_id=rule,
    )


def _day(text: str | None, timezone: str, option: str, *, is_end: bool = False) -> datetime | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
        return day_begins(day + timedelta(days=1) if is_end else day, zone_of(timezone))
    except (ValueError, OverflowError):
        stop(f"{option}: {text} is no day (write it as 2026-01-31)", code=2)


def _write(
    found: Figures, html: Path | None, csv: Path | None, parquet: Path | None, languages: tuple[str, ...]
) -> None:
    from bot.cli.report.page import page_of
    from followups.measure.table import rows_of, write_csv

    if html is not None:
        _put(html, page_of(found, languages).encode(), "--html")
    if csv is not None:
        paper = io.StringIO()
        write_csv(rows_of(found), paper)
        # With a mark of its encoding: Excel in Japan reads UTF-8 as Shift_JIS without one.
        _put(csv, paper.getvalue().encode("utf-8-sig"), "--csv")
    if parquet is not None:
        _put(parquet, _parquet_of(found), "--parquet")


def _put(path: Path, content: bytes, option: str) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        stop(f"{path}: {error.strerror} (choose another place with {option})")


def _parquet_of(found: Figures) -> bytes:
    from followups.measure.table import COLUMNS, rows_of

    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        stop("--parquet needs pyarrow (pip install 'yorisoi[parquet]', or use --csv)")
    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    paper = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows_of(found), schema=schema), paper)
    return paper.getvalue()
