"""What does Yorisoi do, shown on one machine in a minute?

The story is told by the real program among stand-ins: what is printed is what reached the phones and Slack.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bot import logs
from sandbox.serve import serving
from sandbox.stage.menu import put_menu
from sandbox.story import Story, prepare
from sandbox.website import website
from sandbox.world import World, world

BEGIN = datetime(2026, 10, 5, 1, tzinfo=UTC)
"""Monday 5 October 2026, 10:00 in Japan."""


def demo(*, is_once: bool, port: int, is_browser_opened: bool) -> int:
    """Walk the story and print it (`is_once`), or serve the page until Ctrl-C. Returns an exit code."""
    logs.configure("ERROR")
    console = Console(highlight=False)
    try:
        asyncio.run(_show(console, is_once=is_once, port=port, is_browser_opened=is_browser_opened))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("\n終了しました / stopped")
    return 0


async def _show(console: Console, *, is_once: bool, port: int, is_browser_opened: bool) -> None:
    here = asyncio.current_task()
    assert here is not None
    # From the first moment on: a database that was started is stopped, too.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, here.cancel)
    console.print("[bold]寄り添い Yorisoi[/bold]: データベースを起動しています / starting PostgreSQL …")
    with _scratch_folder() as folder:
        async with world(BEGIN, data_dir=folder, is_worked=True, is_running=True) as running:
            if is_once:
                await Story(console, running).tell()
                return
            console.print("架空の会社に1年分の記録を入れています / telling it a year of a made-up company …")
            await prepare(running)
            await put_menu(running)
            async with _page(running, port) as address:
                console.print("\nブラウザで開いてください / open in a browser (Ctrl-C: 終了 / stop):")
                console.print(f"[bold]{address}/[/bold]")
                if is_browser_opened:
                    await asyncio.to_thread(_open, address)
                await _until_interrupted()
                console.print("終了しています / stopping …")


@contextlib.contextmanager
def _scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="yorisoi-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root, the database's own user must be able to pass
        yield Path(folder) / "data"


@contextlib.asynccontextmanager
async def _page(running: World, port: int) -> AsyncIterator[str]:
    """The page at the wished port, or at a free one when that is taken."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(serving(website(running), port=port))
        except OSError:
            address = await stack.enter_async_context(serving(website(running)))
        yield address


def _open(address: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(address)


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
