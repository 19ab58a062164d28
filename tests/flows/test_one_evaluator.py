"""Do live, shadow, preview, backtest, rule tests and `why` say the same about the same facts and moment?

A thousand random lives meet random rules; whoever answers differently from `decide` on the loaded facts is a
difference, and there must be none.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot.flows.rules.preview import UNDER_WAY, preview
from bot.flows.rules.publish import rulebook
from bot.flows.rules.why import ask
from db.deciding.expected import keep_expected
from db.deciding.facts import load_facts
from db.deciding.followups import DecisionRow
from db.deciding.rooms import room_of
from db.deciding.ticks import mark_dirty
from db.engine import Database
from db.intake.events import NewEvent, take_in
from db.intake.rhythms import Figures, begin_figures, put_figures
from db.people.consents import record
from db.people.customers import Customer, LineUser
from db.rulebook.rules import RuleBook
from followups.backtest import Past, Replay
from followups.decide import at_their_version, decide
from followups.explain import rule_trace_of
from followups.facts import Facts
from followups.room import Room
from followups.rules.model import Rule, RuleState
from followups.rules.parsing import RuleSet, RuleSource
from followups.rules.testing import run_rule_tests
from followups.rules.yaml.tests import Case, Expectation, Happening, Moment, RuleTests
from followups.rules.yaml.tests import Customer as AskedCustomer
from followups.rules.yaml.tree import Spot
from followups.verdicts import Drop, Escalate, NotDue, RuleDecision, Send, Wait
from tests.db.histories import ANSWERS, EVENTS, KINDS, RHYTHMS, SCORING, STANDING, Life, leaf
from tests.db.histories import POLICY as STANDING_POLICY
from tests.flows.shop import Shop

CUSTOMERS = 1000
POLICY = f"approval_above: 5000\n{STANDING_POLICY}\n"
MESSAGE = {"messages/checkin.yaml": "text: お元気でしょうか。下のトークからいつでもどうぞ。\n"}
ZONES = ("Asia/Tokyo", "America/New_York", None)
SEND = {"send": {"text": "こんにちは。お変わりありませんか。"}}
LEAD = {"escalate": {"reason": "見てください"}}
STEPS: tuple[list[Any], ...] = (
    [SEND],
    [LEAD],
    [SEND, {"wait": {"for": "2d", "until": {"replied": True}}}, LEAD],
    [{"wait": {"for": "1d", "at": "10:00"}}, SEND, {"wait": "1d"}, SEND],
    [{"if": {"event": "login", "count": {"at_least": 3}}, "then": [SEND], "else": [LEAD]}],
    [{"variants": {"a": SEND["send"], "b": {"text": "お元気ですか。"}}}, {"wait": "12h"}, LEAD],
)


@dataclass
class Told(Life):
    """A life, and the events as they are sent in."""

    told: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)


def rules_of(rng: random.Random) -> dict[str, str]:
    """Two rules of every kind of steps, with conditions that hold for some."""
    files = {}
    for number in range(2 * len(STEPS)):
        members = [leaf(rng, rng.choice((*KINDS, *STANDING))) for _ in range(rng.randint(1, 3))]
        files[f"rule-{number:02}.yaml"] = json.dumps(
            {
                "id": f"rule-{number:02}",
                "name": f"規則{number}",
                "state": "live",
                "goal": {"event": "goal", "within": "9d"},
                "when": {rng.choice(["all", "any", "any", "none"]): members},
                "priority": rng.choice([30, 50, 50, 70]),
                "again_after": "1d",
                "holdout": rng.choice(["0%", "30%"]),
                "during_conversation": rng.choice(["hold", "drop", "send"]),
                "then": STEPS[number % len(STEPS)],
            },
            ensure_ascii=False,
        )
    return files


def lives(rng: random.Random, *, now: datetime) -> list[Told]:
    found: list[Told] = []
    for number in range(CUSTOMERS):
        attributes: dict[str, Any] = {"plan": rng.choice(["trial", "standard", "pro", 3])}
        if rng.random() < 0.5:
            attributes["day"] = f"{now + timedelta(days=rng.randint(-6, 6)):%Y-%m-%d}"
        life = Told(
            f"c{number}", zone=rng.choice(ZONES), is_linked=rng.random() < 0.85, attributes=attributes
        )
        for _ in range(rng.randint(0, 7)):
            at = now - timedelta(hours=rng.randint(1, 240), minutes=rng.randint(0, 59))
            happens(life, rng.choice([*EVENTS, *EVENTS, *ANSWERS]), at, rng)
        found.append(life)
    return found


def happens(life: Told, name: str, at: datetime, rng: random.Random) -> None:
    properties = {"plan": rng.choice(["pro", 3, True]), "n": rng.choice([1, 2])}
    life.live(name, at, properties)
    life.told.append((name, at, properties))


async def fill(shop: Shop, found: list[Told], rng: random.Random) -> None:
    now = shop.clock.now()
    async with shop.deps.db.begin() as session:
        for life in found:
            user = "U" + life.customer_id.hex
            session.add(
                Customer(
                    customer_id=life.customer_id,
                    external_id=life.external_id,
                    attributes=life.attributes,
                    timezone=life.zone,
                    line_user_id=user if life.is_linked else None,
                    created_at=now,
                )
            )
            if life.is_linked:
                session.add(
                    LineUser(
                        line_user_id=user,
                        customer_id=life.customer_id,
                        is_friend=True,
                        state_at=now,
                        created_at=now,
                    )
                )
        await session.flush()
        events = [
            NewEvent(life.customer_id, name, at, f"{life.external_id}/{n}", properties)
            for life in found
            for n, (name, at, properties) in enumerate(life.told)
        ]
        await take_in(session, events, now=now)
        for life in found:
            if rng.random() < 0.9:
                await record(
                    session,
                    customer_id=life.customer_id,
                    purposes=["support"],
                    is_granted=rng.random() < 0.95,
                    event_id=life.external_id,
                    at=now - timedelta(days=20),
                    source="test",
                    now=now,
                )
        await mark_dirty(session, [life.customer_id for life in found], now=now)


async def expected(shop: Shop) -> tuple[RuleBook, dict[UUID, Facts], dict[UUID, tuple[RuleDecision, ...]]]:
    """What `decide` says of everybody, of the facts as the program loads them."""
    now, book = shop.clock.now(), await rulebook(shop.deps)
    async with shop.deps.db.begin() as session:
        ids = [row.customer_id for row in await shop.rows(Customer)]
        facts = await load_facts(session, ids, now=now)
        room = await room_of(session, book, now=now)
    said = {}
    for customer_id, known in facts.items():
        rules = at_their_version(book.rules, known, book.rule_at)
        said[customer_id] = decide(known, rules, book.policy, now=now, room=room).rules
    return book, facts, said


def word_of(answer: RuleDecision) -> tuple[str, str | None]:
    match answer.verdict:
        case Send():
            return "send", None
        case Escalate():
            return "escalate", None
        case Wait(gate=gate):
            return "wait", gate
        case Drop(gate=gate):
            is_over = answer.position is not None and answer.position.ended is not None
            return "ended" if is_over else "drop", gate
        case NotDue():
            return "not_due", None


async def compare_preview(shop: Shop, book: RuleBook, said: dict[UUID, tuple[RuleDecision, ...]]) -> None:
    for place, rule in enumerate(book.rules):
        counted: Counter[str] = Counter()
        for decisions in said.values():
            answer = decisions[place]
            word, gate = word_of(answer)
            if answer.check.holds:
                counted[gate or (UNDER_WAY if word == "not_due" else word)] += 1
        seen = await preview(shop.deps, rule.id)
        found = Counter(dict(seen.withheld)) + Counter(send=seen.sends, escalate=seen.escalations)
        assert found == counted, rule.id


async def compare_live(shop: Shop, said: dict[UUID, tuple[RuleDecision, ...]]) -> int:
    now = shop.clock.now()
    async with shop.deps.db.begin() as session:
        await mark_dirty(session, list(said), now=now)
    await shop.settle()
    traces: dict[tuple[UUID, str], list[dict[str, Any]]] = {}
    for row in await shop.rows(DecisionRow):
        traces.setdefault((row.customer_id, row.rule_id), []).append(
            {name: each for name, each in row.trace.items() if name != "gates"}
        )
    compared = 0
    for customer_id, decisions in said.items():
        for answer in decisions:
            trace = rule_trace_of(answer)
            stored = traces.get((customer_id, answer.rule_id), [])
            if isinstance(answer.verdict, Send | Escalate):
                assert {name: each for name, each in trace.items() if name != "gates"} in stored
                compared += 1
            elif not isinstance(answer.verdict, NotDue):
                assert any(each["verdict"]["kind"] == trace["verdict"]["kind"] for each in stored)
                compared += 1
            elif not stored:
                compared += 1
    return compared


def compare_shadow(book: RuleBook, facts: dict[UUID, Facts], *, now: datetime) -> None:
    for known in facts.values():
        rules = at_their_version(book.rules, known, book.rule_at)
        shadows = [replace(rule, state=RuleState.SHADOW) for rule in rules]
        rehearsed = decide(known, [*rules, *shadows], book.policy, now=now).rules[len(rules) :]
        for rule, shadow in zip(rules, rehearsed, strict=True):
            alone = decide(known, [rule], book.policy, now=now).rules[0]
            assert replace(shadow, is_shadow=False) == alone


async def compare_why(shop: Shop, said: dict[UUID, tuple[RuleDecision, ...]], some: list[Told]) -> None:
    for life in some:
        answer = await ask(shop.deps, life.external_id)
        found = [rule_trace_of(each) for each in answer.decision.rules]
        for trace, decision in zip(found, said[life.customer_id], strict=True):
            wanted = rule_trace_of(decision)
            assert {k: v for k, v in trace.items() if k != "gates"} == {
                k: v for k, v in wanted.items() if k != "gates"
            }


def compare_backtest(
    book: RuleBook,
    facts: dict[UUID, Facts],
    said: dict[UUID, tuple[RuleDecision, ...]],
    found: list[Told],
    expected: Mapping[str, float],
    *,
    now: datetime,
) -> None:
    end, room = now + timedelta(microseconds=1), Room(expected=expected)
    replay = Replay(book.rules, book.policy, start=now, end=end, room=room)
    for life in found:
        past = Past(facts=facts[life.customer_id], known_from=now - timedelta(days=30), events=life.events)
        replayed = replay.of(past)
        acted = {(each.rule_id, each.is_escalation) for each in replayed.entries if each.is_first}
        wanted = {
            (each.rule_id, isinstance(each.verdict, Escalate))
            for each in said[life.customer_id]
            if isinstance(each.verdict, Send | Escalate)
        }
        assert wanted <= acted, life.external_id
        held = {(each.rule_id, each.gate) for each in replayed.held}
        for answer in said[life.customer_id]:
            word, gate = word_of(answer)
            if word in {"wait", "drop"} and gate != "step":
                assert (answer.rule_id, gate) in held, life.external_id


def compare_tests(book: RuleBook, facts: dict[UUID, Facts], found: list[Told], *, now: datetime) -> None:
    policy = replace(book.policy, holdout=None)
    for rule in book.rules:
        cases = []
        for life in found:
            known = facts[life.customer_id]
            asked = replace(rule, holdout=None)
            answer = decide(known, [asked], policy, now=now).rules[0]
            word, gate = word_of(answer)
            cases.append(_case(life, known, word, gate, now=now))
        tests = RuleTests(path="t", rule_id=rule.id, start=now, cases=tuple(cases))
        source = RuleSource(
            rule=rule, path="r", leaves=_spots(rule), id_at=Spot(1, 1), step_leaves=_of_steps(rule)
        )
        report = run_rule_tests(RuleSet(rules=(rule,), tests={rule.id: tests}, sources=(source,)), policy)
        assert [each for each in report.failures if each.path == "t"] == []


def _spots(rule: Rule) -> tuple[Spot, ...]:
    return tuple(Spot(1, 1) for _ in rule.when.members)  # type: ignore[attr-defined]


def _of_steps(rule: Rule) -> dict[str, tuple[Spot, ...]]:
    return {str(number): (Spot(1, 1),) for number in range(len(rule.steps))}


def _case(life: Told, known: Facts, word: str, gate: str | None, *, now: datetime) -> Case:
    answers = {purpose: each.is_granted for purpose, each in known.consents.items()}
    return Case(
        name=life.external_id,
        spot=Spot(1, 1),
        customer=AskedCustomer(
            attributes=life.attributes, is_linked=life.is_linked, consents=answers, timezone=known.timezone
        ),
        events={
            name: tuple(
                Happening(at=Moment(at=at), properties=properties)
                for told, at, properties in life.told
                if told == name
            )
            for name in (*EVENTS, *ANSWERS)
        },
        rhythms=RHYTHMS,
        sent=(),
        follow_up=None,
        moments=(Expectation(at=Moment(at=now), expect=word, spot=Spot(1, 1), gate=gate),),
    )


async def test_everyone_who_is_asked_gives_the_same_answer(db: Database) -> None:
    rng = random.Random(20261124)
    shop = Shop(db)
    files, now = rules_of(rng), shop.clock.now()
    found = lives(rng, now=now)
    await fill(shop, found, rng)
    async with db.begin() as session:
        await begin_figures(session, now=now)
        await put_figures(session, Figures(measured_on=now.date(), gaps=RHYTHMS), now=now)
        worth = {f"rule-{n:02}": rng.random() for n in range(0, len(files), 2)}
        await keep_expected(session, worth, now=now)
    await shop.publish({**files, **MESSAGE, "scoring.yaml": SCORING}, policy=POLICY)

    book, facts, said = await expected(shop)
    kinds = Counter(word_of(each) for decisions in said.values() for each in decisions)
    assert {"send", "escalate", "wait", "drop", "not_due"} <= {word for word, _ in kinds}
    assert {gate for _, gate in kinds} >= {
        "step",
        "not_linked",
        "consent",
        "quiet_hours",
        "holdout",
        "arbitration",
    }
    compare_shadow(book, facts, now=now)
    compare_backtest(book, facts, said, found, worth, now=now)
    compare_tests(book, facts, found, now=now)
    await compare_preview(shop, book, said)
    await compare_why(shop, said, found[:60])
    assert await compare_live(shop, said) == CUSTOMERS * len(book.rules)

    await shop.accept_all()
    shop.clock.turn(timedelta(days=2, hours=3))
    book, facts, said = await expected(shop)  # now many are on the way
    compare_shadow(book, facts, now=shop.clock.now())
    await compare_preview(shop, book, said)
    await compare_why(shop, said, found[60:100])
    assert await compare_live(shop, said) > CUSTOMERS
