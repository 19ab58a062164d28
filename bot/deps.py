"""What does every flow get handed?"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.clock import Clock, Ids
from bot.ports import Answerer, Drafter, Line, Slack, Waker
from bot.settings import Settings
from db.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The program's parts. `line` and `slack` are None when they are not configured."""

    settings: Settings
    clock: Clock
    ids: Ids
    rng: random.Random
    db: Database
    waker: Waker
    line: Line | None = None
    slack: Slack | None = None
    drafter: Drafter | None = None
    answerer: Answerer | None = None
