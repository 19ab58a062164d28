"""Are the App Home and the digest always taken by Slack, whatever is in them?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.ids import Action
from bot.slack.limits import validate_message, validate_view
from bot.slack.overview.charts import has_chart, without_charts
from bot.slack.overview.digest import Digest, OfferShown, PrecisionShown, Said, digest_message
from bot.slack.overview.health import HealthShown
from bot.slack.overview.home import (
    FailedShown,
    HomeShown,
    LeadShown,
    QuotaShown,
    RuleLine,
    Steering,
    home_view,
)
from bot.slack.overview.orders import ORDERS, Order, message_of_value, message_value, order_of
from bot.slack.rule_blocks import PauseShown, RuleShown

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
awkward = st.sampled_from(
    ["", " ", "\n", "👨‍👩‍👧" * 300, "🔥" * 4000, "<!channel>&" * 400, "あ" * 4000, "<a|b>", "花子"]
)
texts = st.one_of(awkward, st.text(max_size=80))
said = st.builds(Said, ja=texts, en=texts)
numbers = st.integers(0, 10**9)
pairs = st.tuples(numbers, numbers)
offers = st.builds(OfferShown, key=st.just("stop:a"), value=st.just("stop:a|0|0|1"), said=said)
digests = st.builds(
    Digest,
    day=st.just("2026-11-24"),
    sent=pairs,
    reacted=pairs,
    effect=said,
    by_day=st.sampled_from([(), tuple((f"11/{day}", day, 0) for day in range(10, 24))]),
    attention=st.lists(said, max_size=6).map(tuple),
    precision=st.lists(
        st.builds(
            PrecisionShown,
            rule=texts,
            good=numbers,
            judged=st.integers(0, 9),
            reasons=st.lists(st.tuples(texts, numbers), max_size=5).map(tuple),
        ),
        max_size=5,
    ).map(tuple),
    offer=st.none() | offers,
)
leads = st.builds(
    LeadShown,
    name=st.none() | texts,
    state=st.just("new"),
    reason=texts,
    score=st.none() | st.integers(0, 100),
    waits_since=st.none() | st.just(NOW),
    snoozed_until=st.none() | st.just(NOW),
    due_at=st.none() | st.just(NOW),
    offered_to=st.none() | st.just("U0800000001"),
    link=st.none() | st.just("https://sandbox.slack.com/archives/C1/p1"),
)
many_leads = st.lists(leads, max_size=16).map(tuple)
failed = [
    st.builds(
        FailedShown,
        customer_id=st.just(UUID(int=number)),
        message_id=st.just(UUID(int=number)),
        state=st.sampled_from(["dead", "unknown"]),
        name=texts,
        kind=st.sampled_from(["person", "rule", "answer"]),
        rule_id=st.none() | texts,
        because=texts,
        at=st.just(NOW),
    )
    for number in range(6)
]


def _rule(number: int, name: str, effect: Said | None) -> RuleLine:
    shown = RuleShown(rule_id=f"rule-{number}", name=name, state="live", version=1)
    return RuleLine(shown=shown, reached=3, judged=9, effect=effect)


steerings = st.builds(
    Steering,
    pause=st.sampled_from([PauseShown(), PauseShown(by="U0800000001", at=NOW, waiting=3)]),
    failed=st.tuples(*failed),
    failed_number=st.integers(0, 2000),
    notes=st.lists(said, max_size=5).map(tuple),
    offer=st.none() | offers,
    rules=st.lists(st.tuples(texts, st.none() | said), max_size=30).map(
        lambda many: tuple(_rule(number, name, effect) for number, (name, effect) in enumerate(many))
    ),
    page=st.integers(-3, 99),
    quota=st.none()
    | st.builds(QuotaShown, used=numbers, limit=st.none() | numbers, left=st.none() | numbers),
    opted_out=pairs,
    added=st.none() | said,
    learned=st.none() | said,
    as_of=st.just(NOW),
    health=st.builds(
        HealthShown,
        waiting=st.lists(st.tuples(texts, numbers, st.floats(0, 1e9)), max_size=12).map(tuple),
        tick_age=st.none() | st.floats(0, 1e9),
        unsafe=st.lists(texts, max_size=3).map(tuple),
        program=texts,
        database=texts,
        schema=texts,
    ),
)
anything = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@anything
@given(digests, st.sampled_from(["ja", "en"]), st.none() | st.just("✅ <@U1>"))
def test_a_digest_is_always_taken_also_without_its_chart(
    digest: Digest, language: str, settled: str | None
) -> None:
    written = digest_message(digest, language=language, settled=settled)
    message = {"channel": "C1", "text": written.text, "blocks": written.blocks}
    assert validate_message(message) == []
    plain = without_charts(written.blocks)
    assert not has_chart(plain)
    assert validate_message({**message, "blocks": plain}) == []
    assert Digest.of_plain(json.loads(json.dumps(digest.as_plain()))) == digest


@anything
@given(many_leads, many_leads, st.none() | steerings, st.none() | texts, st.sampled_from(["ja", "en"]))
def test_a_home_tab_is_always_taken(
    mine: tuple[LeadShown, ...],
    free: tuple[LeadShown, ...],
    steering: Steering | None,
    notice: str | None,
    language: str,
) -> None:
    shown = HomeShown(
        mine=mine,
        mine_number=len(mine) + 3,
        unclaimed=free,
        unclaimed_number=len(free),
        steering=steering,
        notice=notice,
    )
    view = home_view(shown, language=language)
    assert validate_view(view) == []
    assert len(view["blocks"]) <= 100


def test_what_is_most_pressing_stands_first_on_a_support_leads_tab() -> None:
    lead = LeadShown(name="山田 花子", state="new", reason="料金の質問", score=82, due_at=NOW)
    steering = Steering(pause=PauseShown(), notes=(Said(ja="承認待ちが 4 件", en="4 questions wait"),))
    view = home_view(HomeShown(unclaimed=(lead,), unclaimed_number=1, steering=steering), language="en")
    words = json.dumps(view, ensure_ascii=False)
    assert words.index("pause.all") < words.index("4 questions wait") < words.index("山田 花子")
    assert words.index("山田 花子") < words.index("Opt-outs")
    assert "score 82" in words


def test_a_digest_says_its_numbers_in_text_too() -> None:
    digest = Digest(
        day="2026-11-24",
        sent=(120, 90),
        reacted=(31, 20),
        effect=Said(ja="まだ判断できません（あと約3週間）", en="not enough data yet (about 3 more weeks)"),
        by_day=(("11/22", 3, 0), ("11/23", 4, 1)),
        attention=(Said(ja="承認待ちが 2 件", en="2 questions wait for an approval"),),
        precision=(PrecisionShown(rule="pricing", good=18, judged=25, reasons=(("wrong_signal", 5),)),),
    )
    written = digest_message(digest, language="en")
    for part in ("120 (before 90)", "31 (before 20)", "about 3 more weeks", "2 questions wait"):
        assert part in written.text
    shown = json.dumps(written.blocks)
    assert "pricing: 72% (18/25) false alarm 5" in shown
    table = without_charts(written.blocks)
    assert "11/23 rules 4 people 1" in json.dumps(table)


def test_an_order_travels_and_foreign_buttons_are_none() -> None:
    value = message_value(UUID(int=1), UUID(int=2))
    assert message_of_value(value) == (UUID(int=1), UUID(int=2))
    assert message_of_value("nonsense") is None
    payload = {
        "actions": [{"action_id": "message.replay", "value": value}],
        "user": {"id": "U1"},
        "container": {"type": "view"},
    }
    order = order_of(payload)
    assert order is not None
    assert order.action is Action.REPLAY
    assert order.action in ORDERS
    assert Order.decode(order.encode()) == order
    assert order_of({"actions": [{"action_id": "lead.send", "value": value}]}) is None
    assert order_of({"actions": [{"action_id": "message.replay", "value": "x" * 501}]}) is None
