"""When is it time to look? The only importer of apscheduler: an alarm clock that does nothing but wake.

Memory store, one in every process: each firing only says that there is work, under a lock in the
database, so many clocks are as good as one. Two schedulers on one shared job store ran jobs twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger()

Alarm = Callable[[], Awaitable[None]]


class Scheduler:
    """Rings at intervals, and once at a coming moment."""

    def __init__(self, wall_clock: Callable[[], datetime]) -> None:
        """`wall_clock`: the machine's own time; a turned clock does not turn the alarm clock."""
        self._wall_clock = wall_clock
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
        )
        self._scheduler.add_listener(_report, EVENT_JOB_ERROR)

    def start(self) -> None:
        """Begin to ring."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ringing."""
        self._scheduler.shutdown(wait=False)

    def every(self, seconds: float, name: str, alarm: Alarm) -> None:
        """Ring now and then every `seconds`."""
        self._scheduler.add_job(
            alarm,
            "interval",
            seconds=seconds,
            id=name,
            next_run_time=self._wall_clock(),
            replace_existing=True,
        )

    def once_in(self, delay: timedelta, name: str, alarm: Alarm) -> None:
        """Ring after `delay`, unless the same name is to ring sooner already."""
        moment = self._wall_clock() + max(delay, timedelta(0))
        known = self._scheduler.get_job(name)
        if known is not None and known.next_run_time is not None and known.next_run_time <= moment:
            return
        try:
            self._scheduler.add_job(alarm, "date", run_date=moment, id=name, replace_existing=True)
        except JobLookupError:  # it rang while being replaced
            self._scheduler.add_job(alarm, "date", run_date=moment, id=name, replace_existing=True)


def _report(event: JobExecutionEvent) -> None:
    if not isinstance(event.exception, asyncio.CancelledError):  # the program is stopping
        log.error("alarm.failed", alarm=event.job_id, exc_info=event.exception)
