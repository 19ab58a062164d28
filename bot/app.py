"""What is the running program made of? The composition root: the one module that sees everything."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import structlog
from fastapi import FastAPI

from bot import metrics
from bot.clock import Clock, SystemClock
from bot.deps import Deps
from bot.flows.answers.answer import answer
from bot.flows.answers.learn import embed_knowledge, learn_at_start
from bot.flows.channel.fetch_media import fetch_media
from bot.flows.channel.leave import leave
from bot.flows.channel.link_menus import link_menus
from bot.flows.channel.offer_link import offer_link
from bot.flows.customers.deliver import deliver
from bot.flows.customers.receive import receive
from bot.flows.leads.remind import remind
from bot.flows.leads.route import route
from bot.flows.measure.digest import digest
from bot.flows.measure.learn import learn_leads
from bot.flows.measure.read_insight import read_insight
from bot.flows.measure.reckon import reckon
from bot.flows.operate.tidy import tidy
from bot.flows.operate.watch_quota import watch_quota
from bot.flows.overview.home import refresh_homes
from bot.flows.overview.order import order
from bot.flows.privacy.ask_consent import ask_consent
from bot.flows.replies.draft import draft
from bot.flows.rules.audit import audit_rules
from bot.flows.rules.canary import canary
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import publish_at_start
from bot.flows.rules.refresh_rhythms import refresh_rhythms
from bot.flows.rules.tick import tick
from bot.flows.signals.pull import pull
from bot.flows.staff.post import post
from bot.flows.staff.press import press
from bot.flows.steering.forecast import forecast
from bot.jobs import Jobs
from bot.line.client import LineClient
from bot.llm.client import answerer_of, drafter_of
from bot.opening import connected
from bot.scheduler import Scheduler
from bot.server import serving
from bot.settings import Settings
from bot.slack.client import SlackClient
from db.desk.posts import next_due as next_post_due
from db.talk.messages import next_due as next_message_due
from handlers import doors
from handlers.slack.socket import socket_mode

log = structlog.get_logger()

SWEEP_SECONDS = 60.0
"""How often stalled jobs of dead processes are taken up."""

Stories = Mapping[str, Callable[[], Awaitable[int]]]


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, *, clock: Clock | None = None, is_worker: bool = False
) -> AsyncIterator[Deps]:
    """The program's parts, connected and migrated; closed when the block ends.

    Raises:
        Misconfigured: something set in the environment cannot work; the message says how to fix it.
    """
    async with contextlib.AsyncExitStack() as stack:
        deps = await stack.enter_async_context(
            connected(settings, clock=clock, pool_size=16 if is_worker else 4)
        )
        line = slack = None
        if settings.line_channel_access_token is not None:
            line = await stack.enter_async_context(LineClient.connected(settings))
        if settings.slack_bot_token is not None:
            slack = SlackClient.of(settings, deps.clock)
        drafter = await stack.enter_async_context(drafter_of(settings))
        answerer = await stack.enter_async_context(answerer_of(settings))
        yield replace(deps, line=line, slack=slack, drafter=drafter, answerer=answerer)


def stories(deps: Deps) -> Stories:
    """Every story a worker carries out, by the name it is woken with: all that is due now, how many rows."""

    async def look_at_time() -> int:
        return (await tick(deps)).found

    return {
        "receive": lambda: receive(deps),
        "fetch_media": lambda: fetch_media(deps),
        "leave": lambda: leave(deps),
        "offer_link": lambda: offer_link(deps),
        "link_menus": lambda: link_menus(deps),
        "ask_consent": lambda: ask_consent(deps),
        "answer": lambda: answer(deps),
        "embed_knowledge": lambda: embed_knowledge(deps),
        "press": lambda: press(deps),
        "read_insight": lambda: read_insight(deps),
        "watch_quota": lambda: watch_quota(deps),
        "tick": look_at_time,
        "decide": lambda: decide_due(deps),
        "canary": lambda: canary(deps),
        "audit": lambda: audit_rules(deps),
        "refresh_rhythms": lambda: refresh_rhythms(deps),
        "deliver": lambda: deliver(deps),
        "forecast": lambda: forecast(deps),
        "draft": lambda: draft(deps),
        "route": lambda: route(deps),
        "remind": lambda: remind(deps),
        "post": lambda: post(deps),
        "order": lambda: order(deps),
        "digest": lambda: digest(deps),
        "refresh_homes": lambda: refresh_homes(deps),
        "reckon": lambda: reckon(deps),
        "learn_leads": lambda: learn_leads(deps),
        "pull": lambda: pull(deps),
        "tidy": lambda: tidy(deps),
    }


@contextlib.asynccontextmanager
async def web(deps: Deps) -> AsyncIterator[str]:
    """Serve every door; yields the address."""
    application = FastAPI(
        title="Yorisoi", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    for door in doors(deps):
        application.include_router(door)
    async with serving(application, host=deps.settings.host, port=deps.settings.port) as address:
        log.info("web.started", address=address)
        yield address


@contextlib.asynccontextmanager
async def worker(deps: Deps, *, concurrency: int = 8) -> AsyncIterator[None]:
    """Carry out stories whenever they are woken, and wake them at every tick."""
    jobs = deps.waker
    assert isinstance(jobs, Jobs)
    scheduler = Scheduler(
        SystemClock().now
    )  # the alarm clock is the machine's own, even where time is turned
    known = stories(deps)

    async def wake_all() -> None:
        for name in known:
            await jobs.wake(name)

    async def ring_when_due() -> None:
        await _ring_when_due(deps, scheduler)

    jobs.work(
        {name: _measured(name, story, ring_when_due) for name, story in known.items()},
        concurrency=concurrency,
    )
    scheduler.start()
    scheduler.every(deps.settings.yorisoi_tick_seconds, "tick", wake_all)
    scheduler.every(SWEEP_SECONDS, "sweep", jobs.sweep)
    try:
        async with socket_mode(deps):
            log.info("worker.started", tick_seconds=deps.settings.yorisoi_tick_seconds)
            yield
    finally:
        scheduler.stop()


async def run(settings: Settings, *, is_web: bool = True, is_worker: bool = True) -> None:
    """The program until SIGINT or SIGTERM: `run` is everything, `web` and `worker` are its halves.

    Raises:
        Misconfigured: something set in the environment cannot work.
    """
    settings.check_for_running()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        deps = await stack.enter_async_context(opened(settings, is_worker=True))
        await publish_at_start(deps)
        await learn_at_start(deps)
        if is_web:  # first: where the port is taken, nothing has begun
            await stack.enter_async_context(web(deps))
        if is_worker:
            await stack.enter_async_context(worker(deps))
        await stop.wait()
        log.info("program.stopping")


def _measured(
    name: str, story: Callable[[], Awaitable[int]], afterwards: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    async def run_once() -> None:
        begin = time.monotonic()
        with structlog.contextvars.bound_contextvars(story=name):
            try:
                rows = await story()
            except Exception:
                metrics.STORY_FAILURES.labels(name).inc()
                raise
            if rows:
                metrics.STORIES.labels(name).inc(rows)
                log.info("story.done", rows=rows, ms=round((time.monotonic() - begin) * 1000))
        metrics.STORY_SECONDS.labels(name).observe(time.monotonic() - begin)
        if name in {"deliver", "post", "decide", "press", "receive"}:
            await afterwards()

    return run_once


async def _ring_when_due(deps: Deps, scheduler: Scheduler) -> None:
    """Between ticks, undo windows end and back-offs run out: ring at the next such moment."""
    now = deps.clock.now()
    async with deps.db.begin() as session:
        moments = {"deliver": await next_message_due(session), "post": await next_post_due(session)}
    for name, moment in moments.items():
        if moment is not None:

            async def alarm(story: str = name) -> None:
                await deps.waker.wake(story)

            scheduler.once_in(max(moment - now, timedelta(milliseconds=20)), f"due.{name}", alarm)
