"""Who is woken in a benchmark that measures one story alone?"""

from __future__ import annotations


class Nobody:
    """Takes every wake and does nothing: no other story runs beside the one that is measured."""

    async def wake(self, story: str) -> None:
        """Nothing happens."""
