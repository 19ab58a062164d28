"""What does policy.yaml say?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from followups.rules.model import BusinessHours, Caps, DigestTime, Hours, Policy, Routing
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.messages import purpose
from followups.rules.yaml.policies.life_cycle import read_life_cycle
from followups.rules.yaml.policies.retention import read_retention
from followups.rules.yaml.policies.senders import read_senders
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import MapNode, Node, ScalarNode

KEYS = (
    "timezone",
    "quiet_hours",
    "business_hours",
    "caps",
    "silence_after_unanswered",
    "quota",
    "holdout",
    "canary",
    "approval_above",
    "undo_seconds",
    "sla",
    "routing",
    "senders",
    "link_hosts",
    "default_purpose",
    "life_cycle",
    "retention",
    "digest",
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _is_null(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _hours(keys: Fields, problems: Problems) -> Hours | None:
    start, end = keys.need("from", read.time_of_day), keys.need("to", read.time_of_day)
    if start is None or end is None:
        return None
    if start == end:
        problems.add(
            keys.key("to"),
            "from と同じ時刻です（違う時刻にしてください）",
            "the same time as from (choose another)",
        )
        return None
    return Hours(start=start, end=end)


def _days(node: Node, problems: Problems) -> frozenset[int] | None:
    word = read.one_of(_DAYS, ja="曜日", en="weekday")
    found = [word(each, problems) for each in read.items(node, problems) or ()]
    days = frozenset(_DAYS.index(each) for each in found if each is not None)
    return days or None


def _business(node: MapNode, problems: Problems, default: BusinessHours) -> BusinessHours:
    keys = Fields(node, problems, ("days", "from", "to", "holidays"))
    days = keys.get("days", _days) or default.days
    start = keys.get("from", read.time_of_day) or default.hours.start
    end = keys.get("to", read.time_of_day) or default.hours.end
    if start >= end:
        problems.add(
            keys.key("to" if keys.has("to") else "from"),
            "from は to より早い時刻にしてください",
            "from is not before to (business hours end on the day they begin)",
        )
    holidays = default.holidays
    if _is_null(node.values.get("holidays")):
        holidays = None
    elif keys.has("holidays"):
        holidays = keys.get("holidays", read.one_of(("JP",), ja="祝日の暦", en="calendar of holidays"))
    return BusinessHours(days=days, hours=Hours(start=start, end=end), holidays=holidays)


def _digest(node: MapNode, problems: Problems, default: DigestTime) -> DigestTime:
    keys = Fields(node, problems, ("at", "days"))
    return DigestTime(
        at=keys.get("at", read.time_of_day) or default.at,
        days=keys.get("days", _days) or default.days,
    )


def _caps(node: MapNode, problems: Problems, default: Caps) -> Caps:
    keys = Fields(node, problems, ("per_day", "per_7_days", "per_30_days"))

    def cap(key: str, usual: int | None) -> int | None:
        if not keys.has(key):
            return usual
        return None if _is_null(node.values[key]) else keys.get(key, read.whole(0, 1000))

    return Caps(
        per_day=cap("per_day", default.per_day),
        per_7_days=cap("per_7_days", default.per_7_days),
        per_30_days=cap("per_30_days", default.per_30_days),
    )


def _hosts(node: Node, problems: Problems) -> tuple[str, ...] | None:
    nodes = getattr(node, "items", None)
    if nodes == []:
        return ()
    found = read.names(node, problems)
    return tuple(each.lower() for each in found) if found is not None else None


def read_policy(node: Node, problems: Problems) -> Policy:
    """The policy, its defaults where nothing is said."""
    policy = Policy()
    if _is_null(node):
        return policy
    found = read.mapping(node, problems)
    if found is None:
        return policy
    keys = Fields(found, problems, KEYS)

    def inner(key: str) -> MapNode | None:
        return None if _is_null(found.values.get(key)) else keys.get(key, read.mapping)

    policy = replace(
        policy,
        timezone=keys.get("timezone", read.timezone) or policy.timezone,
        holdout=None if _is_null(found.values.get("holdout")) else keys.get("holdout", read.percent),
        approval_above=keys.get("approval_above", read.whole(1, 1_000_000)) or policy.approval_above,
        default_purpose=keys.get("default_purpose", purpose) or policy.default_purpose,
        link_hosts=keys.get("link_hosts", _hosts) or (),
    )
    if (life := inner("life_cycle")) is not None:
        policy = replace(policy, life_cycle=read_life_cycle(life, problems, policy.life_cycle))
    if (senders := inner("senders")) is not None:
        policy = replace(policy, senders=read_senders(senders, problems))
    if _is_null(found.values.get("digest")):
        policy = replace(policy, digest=None)
    elif (digest := inner("digest")) is not None:
        policy = replace(policy, digest=_digest(digest, problems, DigestTime()))
    if (kept := inner("retention")) is not None:
        policy = replace(policy, retention=read_retention(kept, problems, policy.retention))
    undo = keys.get("undo_seconds", read.whole(0, 600))
    policy = replace(policy, undo_seconds=policy.undo_seconds if undo is None else undo)
    policy = _times(
        policy, found, problems, inner_hours=inner("quiet_hours"), business=inner("business_hours")
    )
    if _is_null(found.values.get("caps")):
        policy = replace(policy, caps=Caps(per_day=None, per_7_days=None, per_30_days=None))
    elif (caps := inner("caps")) is not None:
        policy = replace(policy, caps=_caps(caps, problems, policy.caps))
    return _limits(policy, found, problems, {key: inner(key) for key in _LIMITS})


def _times(
    policy: Policy,
    node: MapNode,
    problems: Problems,
    *,
    inner_hours: MapNode | None,
    business: MapNode | None,
) -> Policy:
    if _is_null(node.values.get("quiet_hours")):
        policy = replace(policy, quiet_hours=None)
    elif inner_hours is not None:
        quiet = _hours(Fields(inner_hours, problems, ("from", "to")), problems)
        policy = replace(policy, quiet_hours=quiet or policy.quiet_hours)
    if business is not None:
        policy = replace(policy, business_hours=_business(business, problems, policy.business_hours))
    return policy


_LIMITS = ("silence_after_unanswered", "quota", "canary", "sla", "routing")


def _limits(policy: Policy, node: MapNode, problems: Problems, inner: dict[str, MapNode | None]) -> Policy:
    if _is_null(node.values.get("silence_after_unanswered")):
        policy = replace(policy, silence_messages=0)
    elif (silence := inner["silence_after_unanswered"]) is not None:
        keys = Fields(silence, problems, ("messages", "for"))
        messages = keys.get("messages", read.whole(0, 1000))
        policy = replace(
            policy,
            silence_messages=policy.silence_messages if messages is None else messages,
            silence_for=keys.get("for", read.duration) or policy.silence_for,
        )
    if (quota := inner["quota"]) is not None:
        keys = Fields(quota, problems, ("reserve_for_people", "monthly", "yen_per_extra"))
        share = keys.get("reserve_for_people", read.percent)
        policy = replace(
            policy,
            reserve_for_people=policy.reserve_for_people if share is None else share,
            quota_monthly=keys.get("monthly", read.whole(0, 100_000_000)),
            yen_per_extra=keys.get("yen_per_extra", _yen),
        )
    if (canary := inner["canary"]) is not None:
        keys = Fields(canary, problems, ("size", "for"))
        policy = replace(
            policy,
            canary_size=keys.get("size", read.whole(1, 100_000)) or policy.canary_size,
            canary_for=keys.get("for", read.duration) or policy.canary_for,
        )
    if (sla := inner["sla"]) is not None:
        keys = Fields(sla, problems, ("claim", "escalate"))
        claim: timedelta | None = keys.get("claim", read.duration)
        escalate: timedelta | None = keys.get("escalate", read.duration)
        policy = replace(
            policy,
            claim_within=claim or policy.claim_within,
            escalate_within=escalate or policy.escalate_within,
        )
        if policy.escalate_within < policy.claim_within:
            problems.add(
                keys.key("escalate" if keys.has("escalate") else "claim"),
                "escalate は claim 以上にしてください",
                "escalate comes before claim (make it at least as long)",
            )
    if (routing := inner["routing"]) is not None:
        policy = replace(policy, routing=_routing(routing, problems))
    return policy


def _yen(node: Node, problems: Problems) -> float | None:
    found = read.number(node, problems)
    if found is not None and found < 0:
        read.wrong(node, problems, ja="金額（0 以上。例: 3）", en="a price (0 or more, for example 3)")
        return None
    return found


def _routing(node: MapNode, problems: Problems) -> Routing:
    keys = Fields(node, problems, ("owner_attribute", "value_attribute", "per_rep_per_day", "introduce"))
    introduce = keys.get("introduce", read.truth)
    return Routing(
        owner_attribute=keys.get("owner_attribute", read.name),
        value_attribute=keys.get("value_attribute", read.name),
        per_rep_per_day=keys.get("per_rep_per_day", read.whole(1, 1000)),
        introduce=True if introduce is None else introduce,
    )
