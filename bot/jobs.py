"""How does one process tell the others that there is work? The only importer of procrastinate.

A job carries nothing but the name of a story: rows say what the work is. So a lost, repeated or stalled
job is harmless, and no job ever carries a future moment (a job of tomorrow would block its lock today).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, Status

log = structlog.get_logger()

RETRY_SECONDS = 2.0
"""How soon a story that failed is tried again."""

Story = Callable[[], Awaitable[object]]


class Jobs:
    """Wakes stories in any process on the same database, and carries them out in this one.

    Wakes of one story from one process run together: while one is being written, later ones become one.
    """

    def __init__(self, database_url: str) -> None:
        """`database_url`: `postgresql://…`."""
        self._app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=4))
        self._wanted: set[str] = set()
        self._signal = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect, and begin to pass wakes on."""
        await self._app.open_async()
        self._tasks.append(asyncio.create_task(self._pass_on(), name="jobs.pass_on"))

    async def close(self) -> None:
        """Pass the last wakes on, stop working, and disconnect."""
        for task in self._tasks[::-1]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        with contextlib.suppress(ConnectorException):
            await self._write_wanted()
        await self._app.close_async()

    async def wake(self, story: str) -> None:
        """Say that there is work for `story`. Call it after the commit that made the work."""
        self._want(story)

    def work(self, stories: Mapping[str, Story], *, concurrency: int = 8) -> None:
        """Carry out `stories` in this process from now on, until `close`."""
        for name, story in stories.items():
            self._register(name, story)
        self._tasks.append(asyncio.create_task(self._run(concurrency), name="jobs.work"))

    async def sweep(self) -> None:
        """Take up jobs whose process died, and forget failed ones after a week.

        A stalled job stays `doing` for ever unless somebody asks (measured); a second one may be queued
        meanwhile, and then the old one is simply closed.
        """
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs():
            try:
                await manager.retry_job(job)
            except (AlreadyEnqueued, ConnectorException):
                if job.id is not None:
                    await manager.finish_job_by_id_async(job_id=job.id, status=Status.FAILED, delete_job=True)
        await manager.delete_old_jobs(nb_hours=24 * 7, include_failed=True)

    def _want(self, story: str) -> None:
        self._wanted.add(story)
        self._signal.set()

    def _register(self, name: str, story: Story) -> None:
        async def carry_out() -> None:
            try:
                await story()
            except asyncio.CancelledError:
                raise
            except Exception:
                # The rows still say what is to be done.
                log.exception("story.failed", story=name)
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._want, name)

        self._app.task(name=name, queue="stories", queueing_lock=name, retry=False)(carry_out)

    async def _run(self, concurrency: int) -> None:
        while True:
            try:
                await self._app.run_worker_async(
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    delete_jobs=DeleteJobCondition.SUCCESSFUL,
                    shutdown_graceful_timeout=15,
                )
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("worker.failed")
                await asyncio.sleep(1)
            else:
                return

    async def _pass_on(self) -> None:
        while True:
            await self._signal.wait()
            self._signal.clear()
            try:
                await self._write_wanted()
            except ConnectorException:
                log.warning("wake.failed")
                await asyncio.sleep(0.5)
                self._signal.set()

    async def _write_wanted(self) -> None:
        while self._wanted:
            story = min(self._wanted)
            self._wanted.remove(story)  # before the write: a wake that comes during it is a new one
            try:
                if await self._app.job_manager.list_jobs_async(status="todo", queueing_lock=story):
                    continue  # it has not begun yet, so it will see what was committed before this wake
                await self._app.configure_task(name=story, queue="stories", queueing_lock=story).defer_async()
            except AlreadyEnqueued:
                continue
            except ConnectorException:
                self._wanted.add(story)
                raise
