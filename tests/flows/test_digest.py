"""Is the digest posted once on working days, with the report's numbers, and does its button change rules?"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.flows.measure.digest import digest
from bot.flows.measure.report import figures
from bot.flows.overview.order import order
from bot.flows.rules.publish import publish
from bot.flows.staff.post import post
from bot.flows.versions.export import export
from db.deciding.followups import FollowUpRow
from db.desk.audit import AuditEntry
from db.desk.leads import Lead
from db.desk.posts import Post
from db.engine import Database
from db.keeping.setting_versions import setting_versions
from db.rulebook.rules import SCORING, current_rulebook
from db.talk.messages import MessageKind
from followups.measure.table import rows_of, write_csv
from followups.rules.parsing import PolicyText
from tests.flows.desk import Desk, desk
from tests.flows.passages import message

DAY = timedelta(days=1)
SCORES = """\
events:
  pricing_viewed: {points: 40, half_life: 3d}   # the strongest sign
threshold: 65   # agreed with sales
"""
RULE = """\
id: inactive
name: しばらくご利用のない方へ
state: live
goal: {event: login, within: 7d}
when: {event: login, last: {more_than: 14d}}
holdout: 10%
then:
  - send: {text: {ja: "手が止まっている所はありませんか。"}}
"""


@pytest.fixture
async def d(db: Database) -> AsyncIterator[Desk]:
    """A desk with a rule and a scoring; Tuesday 24 November 2026, 10:00, after a holiday."""
    async with desk(db) as d:
        d.set(slack_alerts_channel=d.slack.add_channel("alerts"))
        await publish(d.deps, {"inactive.yaml": RULE, "scoring.yaml": SCORES}, by="test")
        yield d


async def sent(d: Desk, *days_ago: int) -> None:
    """Messages of the rule that LINE accepted, so many days ago; and the passages they belong to."""
    async with d.deps.db.begin() as session:
        for number, back in enumerate(days_ago):
            customer_id, at = UUID(int=1000 + number), d.clock.now() - back * DAY
            session.add(
                FollowUpRow(
                    customer_id=customer_id,
                    rule_id="inactive",
                    occasion=1,
                    rule_version=1,
                    state="active",
                    entered_at=at,
                    arm="treated",
                    unit=str(customer_id),
                )
            )
            session.add(
                message(customer_id, d.deps.ids.uuid(), MessageKind.RULE, at, rule_id="inactive", occasion=1)
            )


async def closed(d: Desk, *endings: tuple[str, int, int], rule_id: str = "$hot-lead") -> None:
    """Leads that people closed: (state, score, how many)."""
    now, number = d.clock.now(), 5000
    async with d.deps.db.begin() as session:
        for state, score, many in endings:
            for _ in range(many):
                number += 1
                session.add(
                    Lead(
                        customer_id=UUID(int=number),
                        lead_id=d.deps.ids.uuid(),
                        state=state,
                        source="score",
                        rule_id=rule_id,
                        score=score,
                        disposition="wrong_signal" if state == "dismissed" else None,
                        closed_by=d.sato,
                        opened_at=now - 9 * DAY,
                        closed_at=now - 8 * DAY,
                    )
                )


async def settle(d: Desk) -> None:
    for _ in range(10):
        if not (await order(d.deps) + await digest(d.deps) + await post(d.deps)):
            return
    raise AssertionError("never came to rest")


def digests(d: Desk) -> list[Any]:
    channel = d.deps.settings.slack_digest_channel or d.deps.settings.slack_alerts_channel
    return [each for each in d.slack.messages(str(channel)) if "まとめ" in each.text]


async def scoring(d: Desk) -> Any:
    async with d.deps.db.begin() as session:
        return (await current_rulebook(session)).scoring


async def test_the_digest_the_report_and_the_csv_show_the_same_numbers(d: Desk) -> None:
    await sent(d, 1, 2, 2, 5, 9, 12)
    await settle(d)
    (shown,) = digests(d)
    assert "送信: 4 通 (前 2)" in shown.text
    end = datetime(2026, 11, 23, 15, tzinfo=UTC)  # midnight in Japan
    found = await figures(d.deps, start=end - 7 * DAY, end=end)
    assert sum(day.by_rule for day in found.days) == 4
    paper = io.StringIO()
    write_csv(rows_of(found), paper)
    treated = next(row for row in csv.DictReader(io.StringIO(paper.getvalue())) if row["part"] == "treated")
    assert treated["accepted"] == "4"
    await d.slack.open_home(d.suzuki)
    await d.settle()
    home = d.slack.home(d.suzuki)
    assert home is not None
    ever = await figures(d.deps)
    assert f"送信 {ever.rules[0].treated.accepted} 通" in home.plain_text()
    assert ever.rules[0].treated.accepted == 6


async def test_there_is_one_digest_a_day_whoever_asks_how_often(d: Desk) -> None:
    await sent(d, 1, 2)
    for _ in range(3):
        await settle(d)
    await d.turn(hours=5)
    await settle(d)
    assert len(digests(d)) == 1
    d.clock.turn(DAY)
    await settle(d)
    assert len(digests(d)) == 2


async def test_it_waits_for_its_time_and_leaves_out_weekends_and_holidays(d: Desk) -> None:
    d.clock.turn(-timedelta(days=1))  # Monday the 23rd: a holiday
    await sent(d, 1, 2)
    await settle(d)
    assert digests(d) == []
    d.clock.turn(timedelta(hours=22, minutes=59))  # Tuesday, 08:59
    await settle(d)
    assert digests(d) == []
    d.clock.turn(timedelta(minutes=1))
    await settle(d)
    assert len(digests(d)) == 1
    d.clock.turn(4 * DAY)  # Saturday
    await settle(d)
    assert len(digests(d)) == 1


async def test_the_policy_names_the_time_and_the_days_or_none(d: Desk) -> None:
    async def policy(text: str) -> None:
        await publish(d.deps, {}, by="test", policy=PolicyText(source=text, path="policy.yaml"))

    await sent(d, 1)
    await policy("digest: null\n")
    await settle(d)
    assert digests(d) == []
    await policy('digest: {at: "10:30", days: [tue]}\n')
    await settle(d)
    assert digests(d) == []
    d.clock.turn(timedelta(minutes=30))
    await settle(d)
    assert len(digests(d)) == 1
    d.clock.turn(DAY)
    await settle(d)
    assert len(digests(d)) == 1, "Wednesday is not one of the days"


async def test_nothing_to_say_is_not_said(d: Desk) -> None:
    await settle(d)
    assert digests(d) == []


async def test_a_clock_that_jumps_ahead_and_back_neither_repeats_nor_silences(d: Desk) -> None:
    await sent(d, 1, 2)
    await settle(d)
    d.clock.turn(365 * DAY)
    await digest(d.deps)
    d.clock.turn(-365 * DAY)
    await settle(d)
    first = len(digests(d))
    d.clock.turn(DAY)
    await settle(d)
    assert len(digests(d)) == first + 1
    async with d.deps.db.begin() as session:
        keys = list(await session.scalars(select(col(Post.dedupe_key)).where(col(Post.kind) == "digest")))
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "fault",
    [{"drop": True, "after_commit": True}, {"status": 503, "html": True, "after_commit": True}],
    ids=["cut between post and record", "503 after it stood"],
)
async def test_a_digest_that_got_through_unnoticed_is_not_posted_again(
    d: Desk, fault: dict[str, Any]
) -> None:
    await sent(d, 1, 2)
    d.slack.faults.add("chat.postMessage", **fault)
    await settle(d)
    d.clock.turn(timedelta(minutes=3))
    await settle(d)
    assert len(digests(d)) == 1


async def test_where_charts_are_refused_the_numbers_come_as_text(d: Desk) -> None:
    await sent(d, 1, 2)
    d.slack.faults.add(
        "chat.postMessage",
        error="invalid_blocks",
        where=lambda call: "data_visualization" in str(call.get("blocks")),
    )
    await settle(d)
    (shown,) = digests(d)
    assert "data_visualization" not in str(shown.blocks)
    assert "11/23 規則 1 人 0" in shown.plain_text()
    assert "今日見るもの" in shown.plain_text(), "its siblings stay"


async def test_a_channel_of_its_own_may_be_named(d: Desk) -> None:
    d.set(slack_digest_channel=d.slack.add_channel("digest"))
    await sent(d, 1)
    await settle(d)
    assert len(digests(d)) == 1


# --- the suggestion -----------------------------------------------------------------------------------


async def offered(d: Desk) -> Any:
    """A digest that proposes to raise the threshold from 65 to 80."""
    await closed(d, ("won", 90, 20), ("sent", 80, 8), ("dismissed", 67, 25))
    await settle(d)
    (shown,) = digests(d)
    return shown


async def answer(d: Desk, shown: Any, action: str, who: str | None = None) -> None:
    channel = str(d.deps.settings.slack_alerts_channel)
    told = await d.slack.press(who or d.suzuki, channel, shown.ts, action)
    assert told.is_good, told
    await settle(d)


async def test_a_threshold_is_raised_by_one_press_as_a_new_version_with_its_layout_kept(d: Desk) -> None:
    shown = await offered(d)
    assert "65 → 80" in shown.text
    assert "47% 減り" in shown.text
    assert "28 件のうち 28 件" in shown.text
    await answer(d, shown, "proposal.apply")
    assert (await scoring(d)).threshold == 80
    async with d.deps.db.begin() as session:
        versions = await setting_versions(session, SCORING)
    assert [(each.version, each.origin, each.created_by) for each in versions] == [
        (1, "file", "test"),
        (2, "edit", d.suzuki),
    ]
    assert versions[1].source == SCORES.replace("threshold: 65", "threshold: 80")
    (rewritten,) = digests(d)
    assert "適用しました" in rewritten.plain_text()
    assert "proposal.apply" not in [each.action_id for each in rewritten.buttons()]
    actions = [each.action for each in await d.rows(AuditEntry)]
    assert "proposal.applied" in actions
    assert "setting.changed" in actions


async def test_of_two_presses_at_once_one_counts_and_the_other_is_told_who_was_first(d: Desk) -> None:
    shown = await offered(d)
    channel = str(d.deps.settings.slack_alerts_channel)
    assert (await d.slack.press(d.suzuki, channel, shown.ts, "proposal.decline")).is_good
    assert (await d.slack.press(d.sato, channel, shown.ts, "proposal.apply")).is_good
    await asyncio.gather(order(d.deps), order(d.deps), order(d.deps))
    await settle(d)
    assert (await scoring(d)).threshold == 65
    assert d.suzuki in d.whispers(d.sato)[-1]
    assert [each.action for each in await d.rows(AuditEntry)].count("proposal.declined") == 1


async def test_a_declined_proposal_rests_for_four_weeks(d: Desk) -> None:
    await answer(d, await offered(d), "proposal.decline")
    d.clock.turn(timedelta(days=7))
    await settle(d)
    assert "proposal.apply" not in [each.action_id for each in digests(d)[-1].buttons()]
    d.clock.turn(timedelta(days=22))
    await settle(d)
    assert "proposal.apply" in [each.action_id for each in digests(d)[-1].buttons()]


async def test_a_proposal_about_a_scoring_that_changed_meanwhile_is_refused(d: Desk) -> None:
    shown = await offered(d)
    changed = SCORES.replace("threshold: 65", "threshold: 70")
    await publish(d.deps, {"inactive.yaml": RULE, "scoring.yaml": changed}, by="taro")
    await answer(d, shown, "proposal.apply")
    assert (await scoring(d)).threshold == 70
    assert "taro" in d.whispers(d.suzuki)[-1]


async def test_an_old_folder_does_not_take_back_what_was_applied_in_slack(d: Desk) -> None:
    await answer(d, await offered(d), "proposal.apply")
    published = await publish(d.deps, {"inactive.yaml": RULE, "scoring.yaml": SCORES}, by="cli")
    assert published.applied.is_scoring_kept
    assert (await scoring(d)).threshold == 80
    knowing = SCORES.replace("threshold: 65", "threshold: 80").replace("40", "50")
    await publish(d.deps, {"inactive.yaml": RULE, "scoring.yaml": knowing}, by="cli")
    assert (await scoring(d)).pointed[0].points == 50


async def test_after_an_export_a_third_value_is_somebodys_deliberate_change(d: Desk, tmp_path: Path) -> None:
    await answer(d, await offered(d), "proposal.apply")
    third = SCORES.replace("threshold: 65", "threshold: 75")
    published = await publish(d.deps, {"inactive.yaml": RULE, "scoring.yaml": third}, by="cli")
    assert published.applied.is_scoring_kept
    await export(d.deps, tmp_path)
    assert "threshold: 80   # agreed with sales" in (tmp_path / "scoring.yaml").read_text()
    published = await publish(d.deps, {"inactive.yaml": RULE, "scoring.yaml": third}, by="cli")
    assert not published.applied.is_scoring_kept
    assert (await scoring(d)).threshold == 75


async def test_only_support_leads_may_apply_where_there_is_a_group(d: Desk) -> None:
    d.set(slack_support_leads_group=d.slack.add_user_group("leads", [d.suzuki]))
    d.set(slack_sales_group=d.slack.add_user_group("sales", [d.sato]))
    shown = await offered(d)
    await answer(d, shown, "proposal.apply", who=d.sato)
    assert (await scoring(d)).threshold == 65
    assert "サポート責任者" in d.whispers(d.sato)[-1]
