"""`yorisoi backup`, `restore`, `pause`, `resume`: keeping what is known, and holding still."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.running import run
from bot.cli.why import Language, in_language, language_of
from bot.settings import Settings

File = Annotated[Path, typer.Argument(help="The backup, one file.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _add_backup(app)
    _add_restore(app)
    _add_pause(app)


def _add_backup(app: typer.Typer) -> None:
    @app.command()
    def backup(file: File) -> None:
        """Write everything this installation knows into one file, while it runs.

        The file holds personal data and is readable by you only. Secrets (.env) are not in it.

        Example: yorisoi backup /var/backups/yorisoi-2026-12-01.dump
        """
        from rich.console import Console

        from bot.flows.operate.backup import backup as write
        from bot.opening import database_of

        async def work(settings: Settings) -> None:
            console = Console(stderr=True)
            with console.status("0.0 MiB") as status:

                def show(written: int) -> None:
                    status.update(f"{written / 2**20:.1f} MiB")

                async with database_of(settings) as address:
                    size = await write(address, file, on_bytes=show)
            typer.echo(f"{file}: {size / 2**20:.1f} MiB")

        run(work)


def _add_restore(app: typer.Typer) -> None:
    @app.command()
    def restore(
        file: File,
        replace: Annotated[
            bool, typer.Option("--replace", help="What the database holds now may be lost.")
        ] = False,
        language: Language = None,
    ) -> None:
        """Put a backup into the database. Stop all processes first; rules stay paused until `resume`.

        What was waiting to be sent when the backup was written is never sent by itself.

        Example: yorisoi restore /var/backups/yorisoi-2026-12-01.dump
        """
        from bot.clock import SystemClock
        from bot.flows.operate.restore import restore as put_back
        from bot.opening import database_of

        tongue = language_of(language)

        async def work(settings: Settings) -> None:
            async with database_of(settings) as address:
                await put_back(address, file, is_replacing=replace, now=SystemClock().now())
            typer.echo(_RESTORED[tongue])

        run(in_language(work, tongue))


_RESTORED = {
    "ja": "戻しました。バックアップ以降の配信停止や送信は記録にないため、規則の配信は止めてあります。"
    "確認が済んだら yorisoi resume を実行してください。",
    "en": "Restored. Opt-outs and messages since the backup are not known, so rules write to nobody."
    " When you have checked, run yorisoi resume.",
}


def _add_pause(app: typer.Typer) -> None:
    @app.command()
    def pause(
        because: Annotated[str, typer.Option(help="Why, for your colleagues.")] = "",
        language: Language = None,
    ) -> None:
        """Let nothing go out that rules decided. What people write in Slack still goes out.

        Example: yorisoi pause --because "new prices on Monday"
        """
        from bot.flows.rules.pause import pause_all
        from bot.opening import connected

        tongue = language_of(language)

        async def work(settings: Settings) -> None:
            async with connected(settings) as deps:
                is_new = await pause_all(deps, by="cli", because=because)
            typer.echo(_PAUSED[tongue] if is_new else _ALREADY[tongue])

        run(in_language(work, tongue))

    @app.command()
    def resume(language: Language = None) -> None:
        """Let rules' messages go out again; each that waited is asked first whether it still makes sense.

        Example: yorisoi resume
        """
        from bot.flows.rules.pause import resume_all
        from bot.opening import connected

        tongue = language_of(language)

        async def work(settings: Settings) -> None:
            async with connected(settings) as deps:
                lifted = await resume_all(deps, by="cli")
            typer.echo((_RESUMED if lifted is not None else _NOT_PAUSED)[tongue])

        run(in_language(work, tongue))


_PAUSED = {
    "ja": "規則の配信をすべて止めました。再開は yorisoi resume です。",
    "en": "Rules write to nobody now. Let them go on with yorisoi resume.",
}
_ALREADY = {"ja": "すでに止まっています。", "en": "They were paused already."}
_RESUMED = {"ja": "規則の配信を再開しました。", "en": "Rules write again."}
_NOT_PAUSED = {"ja": "止まっていませんでした。", "en": "They were not paused."}
