"""Digest: what the last days brought, in Slack on weekdays at the time the policy names; once a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.measure.attention import needs
from bot.flows.measure.propose import Offer, best_offer, precisions
from bot.flows.measure.report import figures_in
from bot.slack.overview.digest import Digest, OfferShown, PrecisionShown, Said
from db.desk.digests import add_digest, take_day
from db.rulebook.rules import RuleBook, current_rulebook
from followups.measure import Counts, Figures
from followups.measure.wording import added_said
from followups.rules.checks import Text
from followups.rules.model import Policy
from followups.times.hours import is_holiday
from followups.times.zones import day_begins, local_day, zone_of

log = structlog.get_logger()

WEEK = timedelta(days=7)
CHART_DAYS = 14
PRECISION_WEEKS = 4
LEAST_JUDGED = 5
"""Closed leads of a rule from which on its precision is told."""


async def digest(deps: Deps) -> int:
    """Promise today's digest when its time has come; 1 when it was. `post` brings it to Slack.

    Any number of processes may ask at once; after downtime it comes late on the same day: the promise is
    a row whose key is the local day. Nothing to say: nothing is posted.
    """
    now = deps.clock.now()
    if deps.slack is None:
        return 0

    async def write(session: AsyncSession) -> date | None:
        book = await current_rulebook(session)
        day = due_day(book.policy, now=now)
        if day is None or not await take_day(session, day, now=now):
            return None
        made = await digest_of(session, book, day=day, now=now)
        if made.is_empty:
            return None
        is_new = await add_digest(session, day=day, content=made.as_plain(), ids=deps.ids, now=now)
        return day if is_new else None

    day = await deps.db.run(write)
    if day is None:
        return 0
    log.info("digest.promised", day=day.isoformat())
    await deps.waker.wake("post")
    return 1


def due_day(policy: Policy, *, now: datetime) -> date | None:
    """The local day whose digest is due at this moment; None: none is."""
    if policy.digest is None:
        return None
    zone = zone_of(policy.timezone)
    day = local_day(now, zone)
    if now.astimezone(zone).time() < policy.digest.at or day.weekday() not in policy.digest.days:
        return None
    return None if is_holiday(day, policy.business_hours.holidays) else day


async def digest_of(session: AsyncSession, book: RuleBook, *, day: date, now: datetime) -> Digest:
    """The digest of a local day: of the seven whole days before it, against the seven before those."""
    zone = zone_of(book.policy.timezone)
    end = day_begins(day, zone)
    middle, start = end - WEEK, end - 2 * WEEK
    last = await figures_in(session, start=middle, end=end, rule_id=None, now=now)
    before = await figures_in(session, start=start, end=middle, rule_id=None, now=now)
    ever = await figures_in(session, start=None, end=None, rule_id=None, now=now)
    closed = await precisions(session, book, since=now - timedelta(weeks=PRECISION_WEEKS), now=now)
    return Digest(
        day=day.isoformat(),
        sent=(sent(last), sent(before)),
        reacted=(reactions(last.together), reactions(before.together)),
        effect=_said(added_said(ever)),
        by_day=by_day(ever, day),
        attention=(await needs(session, book, ever, now=now)).told()[:3],
        precision=tuple(
            PrecisionShown(
                rule=_name(book, one.rule_id), good=one.good, judged=one.judged, reasons=one.reasons[:3]
            )
            for one in closed
            if one.judged >= LEAST_JUDGED
        )[:3],
        offer=offer_shown(await best_offer(session, book, ever, now=now)),
    )


def sent(figures: Figures) -> int:
    """Messages of rules that LINE accepted in the span."""
    return sum(day.by_rule for day in figures.days)


def reactions(counts: Counts) -> int:
    """Passages in which the customer did something with a message: a link, a button, or words."""
    return counts.clicked + counts.tapped + counts.replied


def by_day(figures: Figures, day: date) -> tuple[tuple[str, int, int], ...]:
    """(month/day, messages of rules, of people) of the fourteen days before; days without any too."""
    known = {each.on: each for each in figures.days}
    shown = []
    for back in range(CHART_DAYS, 0, -1):
        on = day - timedelta(days=back)
        counted = known.get(on)
        label = f"{on.month}/{on.day}"
        shown.append((label, counted.by_rule if counted else 0, counted.by_person if counted else 0))
    return tuple(shown)


def offer_shown(offer: Offer | None) -> OfferShown | None:
    """A proposal as Slack shows it."""
    if offer is None:
        return None
    return OfferShown(key=offer.proposal.key, value=offer.value, said=_said(offer.proposal.said))


def _said(text: Text) -> Said:
    return Said(ja=text.ja, en=text.en)


def _name(book: RuleBook, rule_id: str | None) -> str:
    if rule_id is None:
        return "LINE"
    rule = book.by_id.get(rule_id)
    return rule.name if rule is not None else rule_id
