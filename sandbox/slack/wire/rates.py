"""Is this call one too many for Slack's rate limits?"""

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil

from sandbox.slack.calls import METHODS, Call

MINUTE = timedelta(minutes=1)
A_MESSAGE = timedelta(seconds=1)


class Rates:
    """Calls a minute by method (its tier), and one message a second by channel. Off unless `is_on`."""

    def __init__(self, clock: Callable[[], datetime], *, is_on: bool) -> None:
        self.clock = clock
        self.is_on = is_on
        self._calls: dict[str, deque[datetime]] = defaultdict(deque)
        self._posts: dict[str, datetime] = {}

    def wait(self, call: Call) -> int | None:
        """Whole seconds until this call would be let through; None: it is let through, and counted."""
        if not self.is_on:
            return None
        now = self.clock()
        channel = str(call.arguments.get("channel"))
        if call.method == "chat.postMessage":
            last = self._posts.get(channel)
            if last is not None and now - last < A_MESSAGE:
                return 1
            self._posts[channel] = now
            return None
        most = METHODS[call.method].per_minute
        if most is None:
            return None
        calls = self._calls[call.method]
        while calls and now - calls[0] >= MINUTE:
            calls.popleft()
        if len(calls) >= most:
            return max(1, ceil((calls[0] + MINUTE - now).total_seconds()))
        calls.append(now)
        return None
