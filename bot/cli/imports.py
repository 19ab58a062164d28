"""`yorisoi import FILE` and `yorisoi pull`: events from files and from the product's own databases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.running import as_text, run
from bot.intake.tables import reading_of
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.flows.signals.import_file import Imported

_TOLD = 100
"""Refused lines printed one by one; the others are counted."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _add_import(app)
    _add_pull(app)


def _add_pull(app: typer.Typer) -> None:
    @app.command()
    def pull(
        name: Annotated[str | None, typer.Argument(help="Only this source.", callback=as_text)] = None,
        check: Annotated[
            bool, typer.Option("--check", help="Show what the first rows would become; take nothing.")
        ] = False,
    ) -> None:
        """Read the product's own databases now, as sources.yaml says (YORISOI_SOURCES).

        Example: yorisoi pull orders --check
        """
        from bot.cli.pulling import read_now, show

        run(lambda settings: (show if check else read_now)(settings, name))


def _add_import(app: typer.Typer) -> None:
    @app.command(name="import")
    def import_events(  # noqa: PLR0917
        file: Annotated[Path, typer.Argument(help="CSV, a table in columns, or JSON lines.")],
        customer: Annotated[str | None, typer.Option(help="Column of the customer's id.")] = None,
        time: Annotated[str | None, typer.Option(help="Column of the time.")] = None,
        event: Annotated[
            str | None, typer.Option(help="The one name of all events.", callback=as_text)
        ] = None,
        event_column: Annotated[str | None, typer.Option(help="Column of the event's name.")] = None,
        property_: Annotated[
            list[str] | None, typer.Option("--property", help="Column to keep (repeat; default: all others).")
        ] = None,
        message_id: Annotated[str | None, typer.Option(help="Column of an id unique per event.")] = None,
        timezone: Annotated[str, typer.Option(help="Of times without an offset.")] = "Asia/Tokyo",
        encoding: Annotated[str, typer.Option(help="utf-8 or cp932 (Shift_JIS).")] = "utf-8",
        allow_partial: Annotated[
            bool, typer.Option("--allow-partial", help="Exit with 0 although lines were refused.")
        ] = False,
    ) -> None:
        """Take in past events. A second run adds nothing; a stopped one goes on where it was.

        Example: yorisoi import orders.csv --customer member_no --time ordered_at --event purchase
        """
        if event is not None and event_column is not None:
            raise typer.BadParameter("--event and --event-column exclude each other")

        async def work(settings: Settings) -> Imported:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            from bot.flows.signals.import_file import import_file
            from bot.opening import connected
            from followups.times.zones import is_zone

            if not is_zone(timezone):
                raise typer.BadParameter(f"{timezone} is not an IANA time zone (e.g. Asia/Tokyo)")
            reading = reading_of(
                file,
                encoding=encoding,
                customer=customer,
                time=time,
                event=event,
                event_column=event_column,
                properties=property_ or (),
                message_id=message_id,
                timezone=timezone,
            )
            typer.echo(f"{file}: {reading.shown()}")
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            async with connected(settings) as deps:
                with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
                    task = progress.add_task("lines", total=_count_lines(file))
                    return await import_file(
                        deps, file, reading, on_lines=lambda lines: progress.update(task, completed=lines)
                    )

        imported = run(work)
        _tell(file, imported)
        if imported.refused and not allow_partial:
            raise typer.Exit(1)


def _count_lines(file: Path) -> int:
    with file.open("rb") as content:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: content.read(1 << 20), b""))


def _tell(file: Path, imported: Imported) -> None:
    for line in imported.refused[:_TOLD]:
        typer.echo(f"{file}:{line.number}:{max(1, line.column)}: {line.problem}", err=True)
    if len(imported.refused) > _TOLD:
        typer.echo(f"{file}: and {len(imported.refused) - _TOLD:,} more lines refused", err=True)
    parts = [f"{imported.new:,} new events", f"{imported.repeated:,} known already"]
    if imported.equal:
        parts.append(f"{imported.equal:,} lines that repeat another one, each an event of its own")
    if imported.changed:
        parts.append(f"{imported.changed:,} times customers changed")
    if imported.skipped:
        parts.append(f"{imported.skipped:,} lines stored by the import that was stopped")
    parts.append(f"{len(imported.refused):,} lines refused")
    typer.echo(f"{file}: {imported.lines:,} lines of {imported.customers:,} customers: {', '.join(parts)}")
