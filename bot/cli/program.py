"""`yorisoi run`, `web`, `worker`, `migrate`, `demo`: starting the program."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.running import run, settings_of_environment
from bot.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command(name="run")
    def run_all() -> None:
        """Run everything in one process: web, worker and scheduler.

        Example: LINE_CHANNEL_SECRET=… LINE_CHANNEL_ACCESS_TOKEN=… yorisoi run
        """
        from bot import app as program

        run(program.run, is_lasting=True)

    @app.command()
    def web() -> None:
        """Run only the doors (HTTP). Any number, on any number of machines, against one DATABASE_URL.

        Example: DATABASE_URL=postgresql://db/yorisoi yorisoi web
        """
        from bot import app as program

        run(lambda settings: program.run(settings, is_worker=False), is_lasting=True)

    @app.command()
    def worker() -> None:
        """Run only the work behind the doors. Any number, against one DATABASE_URL.

        Example: DATABASE_URL=postgresql://db/yorisoi yorisoi worker
        """
        from bot import app as program

        run(lambda settings: program.run(settings, is_web=False), is_lasting=True)

    @app.command()
    def migrate() -> None:
        """Bring the database to the newest schema (the other commands do it at start, too).

        Example: DATABASE_URL=postgresql://db/yorisoi yorisoi migrate
        """

        async def work(settings: Settings) -> None:
            from bot.opening import connected

            async with connected(settings):
                typer.echo("The database has the newest schema.")

        run(work)

    @app.command()
    def demo(
        once: Annotated[bool, typer.Option("--once", help="Walk the story, print it, and exit.")] = False,
        port: Annotated[
            int, typer.Option(min=0, max=65535, help="Port of the page (0: any free one).")
        ] = 8787,
        open_browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    ) -> None:
        """Show the whole story on this machine: no key, no network.

        Example: yorisoi demo --once
        """
        from sandbox.demo import demo as show

        settings_of_environment()
        raise SystemExit(show(is_once=once, port=port, is_browser_opened=open_browser))
