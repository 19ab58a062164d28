"""What time is it, and where do ids and randomness come from? The only reader of the real ones."""

from __future__ import annotations

import os
import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Tells the moment."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)


class TurnableClock:
    """A clock that people (or tests) turn forward; runs on between turns when `is_running`."""

    def __init__(self, start: datetime, *, is_running: bool = False) -> None:
        self._start = start
        self._origin = time.monotonic() if is_running else None

    def now(self) -> datetime:
        """The turned present."""
        if self._origin is None:
            return self._start
        return self._start + timedelta(seconds=time.monotonic() - self._origin)

    def turn(self, by: timedelta) -> datetime:
        """Go forward by a span; returns the new present."""
        self._start += by
        return self.now()

    def turn_to(self, moment: datetime) -> datetime:
        """Go forward to a moment; never back."""
        return self.turn(max(timedelta(0), moment - self.now()))


class Ids:
    """Ids that sort by time of making (UUID version 7, RFC 9562) and secrets that nobody can guess."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def uuid(self) -> UUID:
        """A new UUIDv7: 48 bits of milliseconds, then 74 random bits."""
        milliseconds = int(self._clock.now().timestamp() * 1000) & ((1 << 48) - 1)
        noise = int.from_bytes(os.urandom(10), "big")
        value = (milliseconds << 80) | (noise & ((1 << 80) - 1))
        value = (value & ~(0xF << 76)) | (0x7 << 76)
        value = (value & ~(0x3 << 62)) | (0x2 << 62)
        return UUID(int=value)

    def token(self) -> str:
        """128 random bits, URL-safe, 22 characters."""
        return secrets.token_urlsafe(16)


def system_random() -> random.Random:
    """Randomness from the operating system."""
    return random.SystemRandom()
