"""What does a person see while the product's own databases are read?"""

from __future__ import annotations

import asyncio
import os

import typer
from dotenv import dotenv_values
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from bot.errors import Misconfigured
from bot.flows.signals.pull import call_of, pull_source
from bot.intake.rows import opened, rows_after
from bot.intake.sources import Source, address_of, sources_of
from bot.opening import connected
from bot.settings import Settings
from followups.rules.parsing import RuleError
from followups.rules.yaml.problems import nearest

_SHOWN = 3
_TOLD = 20


def _chosen(settings: Settings, name: str | None) -> list[Source]:
    try:
        sources = sources_of(settings.yorisoi_sources)
    except RuleError as error:
        raise Misconfigured(str(error)) from None
    if not sources:
        raise Misconfigured("No sources. Write sources.yaml and name it in YORISOI_SOURCES.")
    chosen = [source for source in sources if name in {None, source.name}]
    if not chosen:
        near = nearest(name or "", [source.name for source in sources])
        raise Misconfigured(f"There is no source {name}" + (f" (did you mean {near}?)" if near else ""))
    return chosen


async def show(settings: Settings, name: str | None) -> None:
    """Print what the first rows of each source would become."""
    environment = {**await asyncio.to_thread(dotenv_values, ".env"), **os.environ}
    for source in _chosen(settings, name):
        with opened(source, address_of(source, environment)) as engine:
            rows = await asyncio.to_thread(rows_after, engine, source, None, limit=_SHOWN)
        typer.echo(f"{source.name}: {'nothing to read' if not rows else ''}")
        for row in rows:
            typer.echo(f"  {call_of(source, row.values)}")


async def read_now(settings: Settings, name: str | None) -> None:
    """Read each source up to its end and print what came of it.

    Raises:
        Misconfigured: one of them could not be read.
    """
    sources = _chosen(settings, name)
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,} rows"))
    failed = []
    async with connected(settings) as deps:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            for source in sources:
                task = progress.add_task(source.name, total=None)

                def shown(rows: int, at: int = int(task)) -> None:
                    progress.update(at, completed=rows)  # type: ignore[arg-type]

                pulled = await pull_source(deps, source, is_forced=True, on_rows=shown)
                if pulled is None:
                    typer.echo(f"{source.name}: another process is reading it just now")
                    continue
                for because in pulled.refused[:_TOLD]:
                    typer.echo(f"{source.name}: {because}", err=True)
                typer.echo(
                    f"{source.name}: {pulled.rows:,} rows, {pulled.new:,} new events,"
                    f" {pulled.changed:,} customers changed, {len(pulled.refused):,} rows refused"
                )
                if pulled.because is not None:
                    failed.append(pulled.because)
    if failed:
        raise Misconfigured(" ".join(failed))
