"""Who will buy again soon, and how good was such a ranking in the own past? Nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np

from bot.deps import Deps
from bot.errors import Refused
from db.intake.histories import latest_of, number_of_customers
from db.intake.purchases import Buyer, buyers
from db.rulebook.rules import current_rulebook
from followups.predict.buying import BuyingModel, Purchases, TooLittle, fit
from followups.predict.hours import best_hour, everybodys_hours
from followups.predict.judging import Judgement, auc, judge
from followups.predict.products import ProductModel, learn_products, next_products
from followups.rules.model import Policy
from followups.times.zones import day_begins, local_day, zone_of

CUSTOMERS_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """One customer's chances.

    Attributes:
        bought: the chance of a purchase in the next days.
        active: the chance of still being a customer at all; not for ranking.
        expected: how many purchases to expect in that time; what the ranking is by.
        products: what they may buy next, the first most likely; empty where products are not told apart.
        hour: the local hour at which they buy most often, inside allowed hours; None: none is allowed.
    """

    customer_id: UUID
    external_id: str | None
    purchases: int
    last_on: date
    bought: float
    active: float
    expected: float
    products: tuple[str, ...]
    hour: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """The ranking, and how far to trust it.

    Attributes:
        asked_on: the last day known; predictions are of the days after it.
        trained_on: the day up to which the trial's model knew; `judgement`: of what came in as many days
            after it. None: too little history to try.
        plain_auc: of simply ranking by the latest purchase.
        hits: by way of naming products, how often it was right in the trial.
    """

    event: str
    days: int
    asked_on: date
    model: BuyingModel
    likely: tuple[Likely, ...]
    trained_on: date | None
    judgement: Judgement | None
    plain_auc: float | None
    hits: dict[str, float]


async def predict(
    deps: Deps, *, days: int, on_customers: Callable[[int, int], None] = lambda done, total: None
) -> Predicted:
    """Fit, rank, and try the same on the own past: trained without the last `days`, judged by them.

    Args:
        on_customers: told (done, of all) as purchases are read.

    Raises:
        Refused: there are too few purchases to learn from.
    """
    now = deps.clock.now()
    async with deps.db.begin() as session:
        policy = (await current_rulebook(session)).policy
        total = await number_of_customers(session)
        latest = await latest_of(session, {policy.life_cycle.purchase})
    everybody: list[Buyer] = []
    above: UUID | None = UUID(int=0)
    done = 0
    while above is not None:
        async with deps.db.begin() as session:
            some, above = await buyers(
                session,
                policy.life_cycle.purchase,
                product=policy.life_cycle.product,
                above=above,
                limit=CUSTOMERS_AT_ONCE,
                until=now,
            )
        everybody += some
        done = min(total, done + CUSTOMERS_AT_ONCE)
        on_customers(done, total)
    asked_on = local_day(min(now, latest) if latest is not None else now, zone_of(policy.timezone))
    return await asyncio.to_thread(_predicted, everybody, policy, days, asked_on)


def _predicted(everybody: Sequence[Buyer], policy: Policy, days: int, asked_on: date) -> Predicted:
    event, zone = policy.life_cycle.purchase, zone_of(policy.timezone)
    bought_on = [[local_day(at, zone) for at in buyer.times] for buyer in everybody]
    known = Purchases.of(bought_on, asked_on)
    try:
        model = fit(known)
    except TooLittle as little:
        raise Refused(
            ja=f"学ぶには {event} が足りません（{little}）。"
            "policy.yaml の life_cycle: purchase を確かめてください。",
            en=f"too few {event} to learn from ({little}); check life_cycle: purchase in policy.yaml",
        ) from None
    trained_on = asked_on - timedelta(days=days)
    judgement, plain = _tried(bought_on, trained_on, days)
    products = _products(everybody, policy, trained_on, asked_on)
    hours = everybodys_hours(
        (at, zone_of(buyer.timezone, policy.timezone)) for buyer in everybody for at in buyer.times[-3:]
    )
    chances, active, expected = (
        model.bought_within(known, days),
        model.active(known),
        model.expected(known, days),
    )
    quiet = [policy.quiet_hours] if policy.quiet_hours is not None else []
    likely = []
    for index in np.argsort(-expected, kind="stable"):
        buyer = everybody[index]
        best = best_hour(
            buyer.times, zone=zone_of(buyer.timezone, policy.timezone), everybody=hours, quiet=quiet
        )
        likely.append(
            Likely(
                customer_id=buyer.customer_id,
                external_id=buyer.external_id,
                purchases=len(buyer.times),
                last_on=max(bought_on[index]),
                bought=float(chances[index]),
                active=float(active[index]),
                expected=float(expected[index]),
                products=tuple(item for item, _ in next_products(_bought(buyer), products))
                if products is not None
                else (),
                hour=best.hour if best is not None else None,
            )
        )
    return Predicted(
        event=event,
        days=days,
        asked_on=asked_on,
        model=model,
        likely=tuple(likely),
        trained_on=trained_on if judgement is not None else None,
        judgement=judgement,
        plain_auc=plain,
        hits=dict(products.hits) if products is not None else {},
    )


def _tried(
    bought_on: Sequence[Sequence[date]], trained_on: date, days: int
) -> tuple[Judgement | None, float | None]:
    """Trained on what was known then, judged by what came; None: too little was known."""
    then = [each for each in bought_on if min(each) <= trained_on]
    if not then:
        return None, None
    known = Purchases.of(then, trained_on)
    try:
        model = fit(known)
    except TooLittle:
        return None, None
    until = trained_on + timedelta(days=days)
    came = np.asarray([any(trained_on < day <= until for day in each) for each in then])
    judged = judge(model.bought_within(known, days), came)
    return replace(judged, auc=auc(model.expected(known, days), came)), auc(known.last - known.known, came)


def _bought(buyer: Buyer) -> list[tuple[datetime, str]]:
    return [(at, item) for at, item in zip(buyer.times, buyer.products, strict=True) if item is not None]


def _products(
    everybody: Sequence[Buyer], policy: Policy, trained_on: date, asked_on: date
) -> ProductModel | None:
    if policy.life_cycle.product is None:
        return None
    zone = zone_of(policy.timezone)
    return learn_products(
        {buyer.customer_id: _bought(buyer) for buyer in everybody},
        cut=day_begins(trained_on + timedelta(days=1), zone),
        now=day_begins(asked_on + timedelta(days=1), zone),
    )
