"""How do many waiting callers share one transaction, each answered only after it is durable?"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Unavailable
from db.engine import Database

Item = TypeVar("Item")
Result = TypeVar("Result")

Write = Callable[[AsyncSession, Sequence[Item]], Awaitable[Sequence[Result]]]
"""Writes many callers' items in one transaction; returns one result per item, in order."""


def _one(_: object) -> int:
    return 1


class GroupCommit(Generic[Item, Result]):
    """A door's way into the database: while one transaction commits, the next one's items gather.

    No timer: an item that comes alone is written at once. An item whose writing fails is tried again by
    itself, so that only its own caller is told.
    """

    def __init__(
        self,
        db: Database,
        write: Write[Item, Result],
        *,
        weight_of: Callable[[Item], int] = _one,
        at_most: int = 2000,
        waiting_at_most: int = 50_000,
        writers: int = 2,
    ) -> None:
        """Prepare; nothing runs until the first `submit`.

        Args:
            write: called inside `db.run`, so possibly again from the top after a deadlock.
            weight_of: how much of a transaction an item takes (rows).
            at_most: the weight of one transaction, unless a single item weighs more.
            writers: transactions at a time; one prepares while another's commit is flushed.
            waiting_at_most: the weight that may wait; beyond it `submit` refuses.
        """
        self._db = db
        self._write = write
        self._weight_of = weight_of
        self._at_most = at_most
        self._waiting_at_most = waiting_at_most
        self._queue: deque[tuple[Item, int, asyncio.Future[Result]]] = deque()
        self._waiting = 0
        self._most_writers = writers
        self._writers: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """Have one item written; returns its result after the commit.

        A caller that is cancelled meanwhile does not take its item back.

        Raises:
            Unavailable: too much is waiting already, or the database is out of reach; nothing was stored.
        """
        weight = self._weight_of(item)
        if self._waiting and self._waiting + weight > self._waiting_at_most:
            raise Unavailable("too many writes are waiting for the database", retry_after=1.0)
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append((item, weight, answer))
        self._waiting += weight
        if len(self._writers) < self._most_writers:
            self._writers.add(asyncio.create_task(self._write_all()))
        return await answer

    async def drain(self) -> None:
        """Wait until everything submitted so far is written."""
        while self._writers:
            await asyncio.wait(self._writers)

    async def _write_all(self) -> None:
        try:
            await self._write_queue()
        finally:  # in the step that found the queue empty: what is submitted next starts a new writer
            writer = asyncio.current_task()
            assert writer is not None
            self._writers.discard(writer)

    async def _write_queue(self) -> None:
        while self._queue:
            batch = [self._queue.popleft()]
            weight = batch[0][1]
            while self._queue and weight + self._queue[0][1] <= self._at_most:
                batch.append(self._queue.popleft())
                weight += batch[-1][1]
            try:
                await self._write_batch([(item, answer) for item, _, answer in batch])
            finally:
                self._waiting -= weight
                for _, _, answer in batch:
                    answer.cancel()  # of no effect once answered; else nobody would ever answer

    async def _write_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        items = [item for item, _ in batch]
        try:
            results = await self._db.run(lambda session: self._write(session, items))
        except Exception as error:
            if len(batch) == 1 or isinstance(error, Unavailable):
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                return
            for pair in batch:
                await self._write_batch([pair])
            return
        for (_, answer), result in zip(batch, results, strict=True):
            if not answer.done():
                answer.set_result(result)
