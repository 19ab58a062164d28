"""What do flows need to know of our LINE account: its month, its figures, the menus people see?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuota:
    """The month's messages: `limit` None is no limit. `used` is what LINE calls approximate."""

    limit: int | None
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFigures:
    """What LINE tells of one unit; None: fewer than 20 people, which it does not tell."""

    seen_by: int | None
    clicked_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerFigures:
    """`followers`: who ever added the account; `reached`: who can be reached; `blocks`: who blocked it."""

    followers: int
    reached: int
    blocks: int


class LineAccount(Protocol):
    """The part of `bot.ports.Line` that is about the account and not about messages."""

    async def quota(self) -> LineQuota:
        """How many messages the month has, and how many of them are used.

        Raises:
            Unavailable: LINE did not answer.
        """
        ...

    async def unit_figures(self, unit: str, *, start: date, end: date) -> UnitFigures | None:
        """How often the messages of a unit were seen and their links opened; None: LINE tells nothing.

        Args:
            start: days in Japan, at most 30 of them; `end` is the last one.

        Raises:
            Unavailable: LINE did not answer, or was asked too often (60 an hour).
        """
        ...

    async def followers(self, day: date) -> FollowerFigures | None:
        """How many people had added the account by a day in Japan; None: not known (yet).

        Raises:
            Unavailable: LINE did not answer, or was asked too often (60 an hour).
        """
        ...

    async def link_menus(self, rich_menu_id: str | None, line_user_ids: Sequence[str]) -> bool:
        """Show these users (up to 500) this rich menu, or the default one; False: there is no such menu.

        Raises:
            Unavailable: LINE did not answer.
        """
        ...
