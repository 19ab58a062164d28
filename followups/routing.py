"""Who of the sales people is asked to take a lead?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from followups.rules.model import Policy
from followups.times.hours import is_open

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rep:
    """One person who takes leads.

    Attributes:
        name: as Slack shows it.
        open: leads they own or are asked to take, not closed.
        today: leads they took or were asked to take since their day began.
        last_at: when they were last asked.
    """

    slack_user_id: str
    name: str
    zone: ZoneInfo
    away_until: datetime | None = None
    open: int = 0
    today: int = 0
    last_at: datetime | None = None


def choose(
    reps: Sequence[Rep],
    policy: Policy,
    *,
    wanted: str | None = None,
    but: Collection[str] = (),
    now: datetime,
) -> Rep | None:
    """The person to ask: who looks after the customer, else the one on duty with the least to do.

    On duty is who is not away; people in whose own time zone it is business hours come first. The daily cap
    does not keep a customer from the person who looks after them.

    Args:
        wanted: the Slack id or name of who looks after the customer.
        but: Slack ids of people who were asked already.

    Returns:
        None when everybody is away, was asked, or has had enough for today.
    """
    on_duty = [
        each
        for each in reps
        if each.slack_user_id not in but and (each.away_until is None or each.away_until <= now)
    ]
    if wanted:
        for each in on_duty:
            if wanted.strip() in (each.slack_user_id, each.name):
                return each
    most = policy.routing.per_rep_per_day
    free = [each for each in on_duty if most is None or each.today < most]

    def turn(rep: Rep) -> tuple[bool, int, int, datetime, str]:
        is_closed = not is_open(now, policy.business_hours, rep.zone)
        return is_closed, rep.open, rep.today, rep.last_at or _NEVER, rep.slack_user_id

    return min(free, key=turn, default=None)
