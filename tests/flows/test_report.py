"""Does every report show the same numbers, and do they say what happened and no more?"""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.cli.report.page import page_of
from bot.cli.report.text import told
from bot.errors import Refused
from bot.flows.measure.reckon import expected_of, reckon
from bot.flows.measure.report import figures
from db.deciding.expected import expected_values
from db.deciding.followups import FollowUpRow
from db.deciding.outcomes import OutcomeRow
from db.engine import Database
from db.intake.events import NewEvent, take_in
from db.people.consents import ConsentEntry
from db.talk.messages import Message
from followups.measure import EffectState, Figures, RuleFigures
from followups.measure.table import COLUMNS, rows_of, safe, write_csv
from followups.measure.wording import effect_said
from tests.flows.passages import MessageKind
from tests.flows.passages import message as message_row
from tests.flows.shop import Shop, inactive

DAY = timedelta(days=1)
_NAMES = UUID(int=42)


@pytest.fixture
async def shop(db: Database) -> Shop:
    shop = Shop(db)
    await shop.publish(inactive(holdout="25%"))
    return shop


async def trial(
    shop: Shop,
    treated: tuple[int, int],
    held_out: tuple[int, int],
    *,
    rule_id: str = "inactive",
    size: int = 1,
) -> list[UUID]:
    """Passages of (customers, those who reach the goal) in both arms, windows over; `size` an account."""
    now, ids = shop.clock.now(), []
    rows: list[FollowUpRow | Message] = []
    goals: list[NewEvent] = []
    for arm, (n, reached) in (("treated", treated), ("held_out", held_out)):
        for number in range(n):
            customer_id = uuid5(_NAMES, f"{arm}:{number}")
            ids.append(customer_id)
            rows.append(
                FollowUpRow(
                    customer_id=customer_id,
                    rule_id="inactive",
                    occasion=1,
                    rule_version=1,
                    state="active",
                    entered_at=now,
                    arm=arm,
                    variant="ab"[number % 2] if arm == "treated" else None,
                    unit=f"{arm}:{number // size}",
                )
            )
            if arm == "treated":
                promised = uuid5(customer_id, "message")
                rows.append(
                    message_row(customer_id, promised, MessageKind.RULE, now, rule_id="inactive", occasion=1)
                )
            if number < reached:
                goals.append(NewEvent(customer_id, "login", now + DAY, f"goal:{number}"))
    shop.clock.turn(timedelta(days=8))
    async with shop.deps.db.begin() as session:
        session.add_all(rows)
        await take_in(session, goals, now=shop.clock.now())
    return ids


async def shown(shop: Shop, rule_id: str = "inactive") -> RuleFigures:
    rule = (await figures(shop.deps)).of(rule_id)
    assert rule is not None
    return rule


async def test_a_rule_that_helps_is_found_to_help(shop: Shop):
    await trial(shop, (300, 150), (100, 20))
    rule = await shown(shop)
    assert rule.effect.state is EffectState.HELPS
    interval, added = rule.effect.interval, rule.effect.added
    assert interval is not None
    assert added is not None
    assert interval.estimate == pytest.approx(0.3)
    assert interval.low > 0
    assert added.estimate == pytest.approx(90)
    assert (rule.treated.eligible, rule.treated.accepted, rule.treated.reached) == (300, 300, 150)
    assert (rule.held_out.eligible, rule.held_out.accepted, rule.held_out.reached) == (100, 0, 20)
    assert [(v.variant, v.counts.eligible, v.counts.reached) for v in rule.variants] == [
        ("a", 150, 75),
        ("b", 150, 75),
    ]
    assert rule.means is not None
    assert rule.means.interval.holds(0.3)


async def test_too_few_customers_are_no_verdict(shop: Shop):
    await trial(shop, (30, 9), (10, 2))
    rule = await shown(shop)
    assert (rule.effect.state, rule.effect.interval) == (EffectState.WAITING, None)
    assert effect_said(rule.effect).ja.startswith("差はまだ分かりません。")


async def test_a_window_that_is_open_counts_for_nothing_yet(shop: Shop):
    await trial(shop, (300, 150), (100, 20))
    async with shop.deps.db.begin() as session:
        await session.execute(update(FollowUpRow).values(entered_at=shop.clock.now() - DAY))
    rule = await shown(shop)
    assert (rule.effect.treated.people, rule.treated.judged, rule.treated.eligible) == (0, 0, 300)
    assert rule.effect.state is EffectState.WAITING


async def test_an_uneven_split_hides_the_effect_in_every_place(shop: Shop):
    await trial(shop, (300, 150), (30, 6))  # 25 % should be held out, 9 % are
    found = await figures(shop.deps)
    rule = found.of("inactive")
    assert rule is not None
    assert (rule.effect.state, rule.effect.interval, rule.once, rule.means) == (
        EffectState.BROKEN, None, None, None,
    )  # fmt: skip
    assert all(variant.effect.interval is None for variant in rule.variants)
    assert found.added is None
    assert [row["effect"] for row in rows_of(found)] == [None] * 4
    assert "broken" in "\n".join(told(found, "en"))


async def test_colleagues_count_as_one_unit(shop: Shop):
    await trial(shop, (300, 150), (100, 20), size=10)
    rule = await shown(shop)
    assert (rule.effect.treated.units, rule.effect.treated.people) == (30, 300)
    assert rule.effect.interval is None  # ten accounts held out say nothing yet


async def test_one_conversion_under_two_rules_is_added_once(shop: Shop):
    await shop.publish(inactive(holdout="25%"), inactive("other", holdout="25%"))
    ids = await trial(shop, (300, 150), (100, 20))
    async with shop.deps.db.begin() as session:
        at = shop.clock.now() - timedelta(days=8)
        session.add_all(
            FollowUpRow(
                customer_id=customer_id, rule_id="other", occasion=1, rule_version=1, state="active",
                entered_at=at - DAY, arm="treated" if number < 300 else "held_out", unit=f"u{number}",
            )
            for number, customer_id in enumerate(ids)
        )  # fmt: skip
    found = await figures(shop.deps)
    first, other = found.of("inactive"), found.of("other")
    assert first is not None
    assert other is not None
    assert (first.treated.reached, other.treated.reached) == (150, 150)
    assert (first.treated.counted, other.treated.counted) == (150, 0)
    assert found.together.counted == 150
    assert found.added is not None
    assert found.added.estimate == pytest.approx(90)


async def test_attributed_figures_stay_apart_and_are_labelled(shop: Shop):
    await trial(shop, (300, 150), (100, 50))
    found = await figures(shop.deps)
    rule = found.of("inactive")
    assert rule is not None
    assert rule.treated.attributed == 150
    assert rule.held_out.attributed == 0
    assert "attributed, for reference: 150" in "\n".join(told(found, "en"))
    assert "参考（送信のあとに達成した数）: 150" in "\n".join(told(found, "ja"))
    assert "attributed" not in COLUMNS
    assert [row["reference_attributed"] for row in rows_of(found)] == [150, 0, 75, 75]


async def test_text_page_and_file_show_the_same_numbers(shop: Shop):
    await trial(shop, (304, 153), (101, 17))
    found = await figures(shop.deps)
    paper = io.StringIO()
    write_csv(rows_of(found), paper)
    rows = list(csv.DictReader(io.StringIO(paper.getvalue())))
    rule = found.of("inactive")
    assert rule is not None
    text, page = "\n".join(told(found, "en")), page_of(found, ("ja", "en"))
    assert [row["part"] for row in rows] == ["treated", "held_out", "variant a", "variant b"]
    for row, counts in zip(rows, (rule.treated, rule.held_out), strict=False):
        assert (row["eligible"], row["reached"]) == (str(counts.eligible), str(counts.reached))
    assert re.search(r"eligible +304 +152 +152 +101\n", text)
    assert ">304</text>" in page
    said = effect_said(rule.effect)
    assert said.en in text
    assert said.ja in page
    assert said.en.replace("'", "&#x27;") in page
    assert rule.effect.interval is not None
    assert float(rows[0]["effect"]) == rule.effect.interval.estimate
    assert again(await figures(shop.deps)) == again(found)


def again(found: Figures) -> list[dict[str, object]]:
    return [dict(row) for row in rows_of(found)]


async def test_the_page_needs_nothing_else_and_runs_nothing(shop: Shop):
    await shop.publish(inactive(holdout="25%", name="'<script>alert(1)</script>'"))
    await trial(shop, (300, 150), (100, 20))
    page = page_of(await figures(shop.deps), ("ja",))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    assert page.count("<svg") >= 3  # messages a day, funnel, effect over time


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", " =1", "|x", "%0A"])
def test_no_cell_of_text_is_run_by_a_spreadsheet(text: str):
    assert safe(text) == "'" + text
    assert safe("inactive-14d") == "inactive-14d"


async def test_a_name_made_to_be_run_is_disarmed_in_the_file(shop: Shop):
    await shop.publish(inactive(holdout="25%", name="'=HYPERLINK(\"https://evil.example\")'"))
    await trial(shop, (30, 9), (10, 2))
    assert {row["name"] for row in rows_of(await figures(shop.deps))} == {
        '\'=HYPERLINK("https://evil.example")'
    }


async def test_opt_outs_and_blocks_are_counted_by_rule_and_by_day(shop: Shop):
    ids = await trial(shop, (300, 150), (100, 20))
    async with shop.deps.db.begin() as session:
        at = shop.clock.now() - timedelta(days=6)
        session.add_all(
            ConsentEntry(
                customer_id=ids[number], purpose="support", consent_id=uuid5(_NAMES, f"no{number}"),
                is_granted=False, at=at, recorded_at=at,
                source="line:unfollow" if number < 30 else "line:optout-word",
            )
            for number in range(40)
        )  # fmt: skip
    found = await figures(shop.deps)
    rule = found.of("inactive")
    assert rule is not None
    assert (rule.treated.blocked, rule.treated.opted_out) == (30, 10)
    assert sum(day.blocked for day in found.days) == 30
    assert sum(day.opted_out for day in found.days) == 10
    assert sum(day.by_rule for day in found.days) == 300
    assert "blocks look high" in "\n".join(told(found, "en")) or "surely risen" in "\n".join(
        told(found, "en")
    )


async def test_a_span_takes_the_passages_that_began_in_it(shop: Shop):
    await trial(shop, (300, 150), (100, 20))
    now = shop.clock.now()
    inside = await figures(shop.deps, start=now - timedelta(days=9), end=now - timedelta(days=7))
    assert [rule.treated.eligible for rule in inside.rules] == [300]
    assert (await figures(shop.deps, start=now - timedelta(days=7))).rules == ()
    with pytest.raises(Refused, match="empty"):
        await figures(shop.deps, start=now, end=now)
    with pytest.raises(Refused, match="nobody"):
        await figures(shop.deps, rule_id="nobody")


async def test_expected_values_are_worked_out_once_a_night(shop: Shop):
    await trial(shop, (300, 150), (100, 20))

    async def kept() -> dict[str, float]:
        async with shop.deps.db.begin() as session:
            return dict(await expected_values(session, now=shop.clock.now()))

    assert await kept() == {}
    assert [await reckon(shop.deps), await reckon(shop.deps)] == [1, 0]
    first = await kept()
    assert 0 < first["inactive"] < 0.3  # drawn towards 0
    assert first == expected_of(await figures(shop.deps))
    shop.clock.turn(DAY)
    assert await reckon(shop.deps) == 1


async def test_a_report_of_nothing_says_so(shop: Shop):
    found = await figures(shop.deps)
    assert (found.rules, found.added) == ((), None)
    assert "no customer has entered any rule yet" in told(found, "en")
    assert page_of(found, ("ja", "en"))
    assert rows_of(found) == []
    named = await figures(shop.deps, rule_id="inactive")
    assert [rule.effect.state for rule in named.rules] == [EffectState.ALONE]


async def test_every_row_of_the_table_has_every_column(shop: Shop):
    await trial(shop, (300, 150), (100, 20))
    for row in rows_of(await figures(shop.deps)):
        assert set(row) == set(COLUMNS)
        for name, value in row.items():
            assert value is None or isinstance(value, (COLUMNS[name], int)), name


async def test_bringing_outcomes_up_to_date_touches_only_what_is_under_way(shop: Shop):
    await trial(shop, (300, 150), (100, 20))
    await figures(shop.deps)
    shop.clock.turn(timedelta(days=3))
    await figures(shop.deps)
    async with shop.deps.db.begin() as session:
        await session.execute(update(OutcomeRow).where(col(OutcomeRow.is_settled)).values(goal_n=77))
    shop.clock.turn(DAY)
    await figures(shop.deps)
    assert {row.goal_n for row in await shop.rows(OutcomeRow)} == {77}
