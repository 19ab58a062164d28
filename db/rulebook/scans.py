"""Who may match a rule that is new, edited or enabled? Everybody is looked through once, in pieces."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import UUID, datetime
from db.deciding.ticks import watermark
from db.intake.signals import set_moments
from db.people.customers import Customer
from db.rulebook.candidates import mark_matching, range_end
from db.rulebook.rules import PUBLISHED_STATES, RuleRow, current_rulebook
from followups.signals import attribute_key
from followups.times.zones import attribute_moment, zone_of

_LOWEST = UUID(int=0)


async def ask_scan(session: AsyncSession, rule_ids: Collection[str] | None) -> None:
    """Have the full statement of these published rules (None: of all) run once."""
    query = update(RuleRow).where(col(RuleRow.state).in_([state.value for state in PUBLISHED_STATES]))
    if rule_ids is not None:
        query = query.where(col(RuleRow.rule_id).in_(rule_ids))
    await session.execute(query.values(scan_from=_LOWEST).execution_options(synchronize_session=False))


async def scan_some(session: AsyncSession, *, size: int = 20_000, now: datetime) -> int | None:
    """Look through the next `size` customers for one rule that asks for it; call again until None.

    Whoever may match is marked dirty. How far it got is kept in the same transaction, so a kill loses
    nothing, and any number of processes may do this at once.

    Returns:
        How many may match; None: nothing is left that nobody else is at.
    """
    row = await session.scalar(
        select(RuleRow)
        .where(col(RuleRow.scan_from).is_not(None))
        .order_by(col(RuleRow.rule_id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None or row.scan_from is None:
        return None
    rule = (await current_rulebook(session)).by_id.get(row.rule_id)
    if rule is None or rule.state not in PUBLISHED_STATES:
        row.scan_from = None
        return 0
    # The tick may be ahead of this clock: what it looked at already, it does not look at for this rule again.
    at = max(now, await watermark(session) or now)
    upto = await range_end(session, above=row.scan_from, size=size)
    for threshold in rule.when.thresholds():
        if threshold.key.startswith(attribute_key("")):
            await _keep_dates(session, threshold.key, above=row.scan_from, upto=upto)
    found = await mark_matching(session, rule.when, above=row.scan_from, upto=upto, now=at)
    row.scan_from = upto
    return found


async def _keep_dates(session: AsyncSession, key: str, *, above: UUID, upto: UUID | None) -> None:
    """Keep the moment at which a date attribute's day begins, for customers of one range.

    They are held, so that an attribute that changes meanwhile is written after this.
    """
    attribute = key.removeprefix(attribute_key(""))
    of, attributes = col(Customer.customer_id), col(Customer.attributes)
    query = (
        select(of, attributes[attribute], col(Customer.timezone))
        .where(of > above, func.jsonb_exists(attributes, attribute))
        .order_by(of)
        .with_for_update(key_share=True)
    )
    if upto is not None:
        query = query.where(of <= upto)
    policy = (await current_rulebook(session)).policy
    await set_moments(
        session,
        {
            (customer_id, key): attribute_moment(value, zone_of(timezone, policy.timezone))
            for customer_id, value, timezone in await session.execute(query)
        },
    )
