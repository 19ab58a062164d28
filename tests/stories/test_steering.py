"""Can a support lead steer rules from Slack, from the list to the way back, without reading documentation?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.flows.versions.export import export
from sandbox.world import World
from tests.stories.lead import ask, field_of, notice, press, told, view_with
from tests.stories.shop import CHECKIN, INACTIVE, hanako

SHADOW = INACTIVE.replace("state: live", "state: shadow")


async def test_a_new_support_lead_finds_changes_previews_rolls_back_a_rule_and_explains_a_customer(
    world: World, tmp_path: Path
) -> None:
    line_user_id = await hanako(world)
    await world.track("c-1", "login")
    await world.publish({"inactive.yaml": SHADOW})
    await world.turn(timedelta(days=15))
    assert world.heard(line_user_id)[-1:] != [CHECKIN]
    lead = world.suzuki

    shown = await ask(world, lead, "/followups")
    assert "しばらくご利用のない方へ" in shown.plain_text()
    assert "試運転" in shown.plain_text()

    # a threshold, with a mistake first
    await press(world, lead, shown, "rule.edit", "inactive")
    view = await view_with(world, lead, "規則を編集")
    field = field_of(view, "login · last · more_than")
    assert view.state[field[0]][field[1]]["value"] == "14d"
    await world.slack.submit(lead, view.id, {field: "三週間"})
    view = world.slack.open_views(lead)[-1]
    assert "3d" in view.errors[field[0]]
    await world.slack.submit(lead, view.id, {field: "10d"})
    view = await view_with(world, lead, "変わること")
    assert "14d → 10d" in view.plain_text()
    assert "1 人 → 1 人" in view.plain_text().replace("*", "")
    await world.slack.submit(lead, view.id)
    await world.settle()
    await told(world, lead, "バージョン 2 を保存しました")

    # what it would do
    shown = await ask(world, lead, "/followups")
    await press(world, lead, shown, "rule.more", "inactive", selected_option="preview")
    view = await view_with(world, lead, "条件に合うお客様 1 人")
    assert CHECKIN in view.plain_text()
    await world.slack.press_in_view(lead, view.id, "rule.preview")
    await told(world, lead, "条件に合うお客様 1 人")
    await world.slack.close_view(lead, view.id, whole_stack=True)

    # everything changed in Slack comes out as a file
    async def file() -> str:
        await export(world.deps, tmp_path, is_overwriting=True)
        return (tmp_path / "inactive.yaml").read_text(encoding="utf-8")

    assert await file() == SHADOW.replace("14d", "10d")

    # the way back
    await press(world, lead, shown, "rule.more", "inactive", selected_option="history")
    view = await view_with(world, lead, "v2")
    assert "14d → 10d" in view.plain_text()
    await world.slack.press_in_view(lead, view.id, "rule.history")
    assert "+" in (await view_with(world, lead, "v1 → v2")).plain_text()
    await world.slack.press_in_view(lead, world.slack.open_views(lead)[-1].id, "rule.history")
    view = await view_with(world, lead, "この版に戻す")
    await world.slack.press_in_view(lead, view.id, "rule.rollback")
    await world.settle()
    await told(world, lead, "バージョン 1 の内容に戻しました")
    assert await file() == SHADOW

    # and the reverse: what a file changes is in the form
    await world.publish({"inactive.yaml": SHADOW.replace("more_than: 14d", "more_than: 12d")})
    await world.slack.close_view(lead, view.id, whole_stack=True)
    shown = await ask(world, lead, "/followups")
    await press(world, lead, shown, "rule.edit", "inactive")
    view = await view_with(world, lead, "規則を編集")
    assert view.state[field[0]][field[1]]["value"] == "12d"
    await world.slack.close_view(lead, view.id, whole_stack=True)

    # live, for everybody
    await press(world, lead, shown, "rule.toggle", "inactive")
    await told(world, lead, "「試し送り」にしました")
    await world.settle()
    assert CHECKIN in "".join(world.heard(line_user_id))

    # and why
    shown = await ask(world, lead, "/why", "山田花子")
    assert "山田 花子" in shown.plain_text()
    assert "しばらくご利用のない方へ" in shown.plain_text()
    await world.slack.press(lead, world.leads_channel, shown.ts, "why.rule")
    await view_with(world, lead, "これまでの判断")


async def test_pausing_everything_holds_messages_and_resuming_lets_them_go(world: World) -> None:
    line_user_id = await hanako(world)
    await world.track("c-1", "login")
    await world.publish({"inactive.yaml": INACTIVE})
    lead = world.suzuki
    shown = await ask(world, lead, "/followups")
    await world.slack.press(lead, world.leads_channel, shown.ts, "pause.all")
    await world.settle()
    await told(world, lead, "すべて止めました")
    await world.turn(timedelta(days=15))
    assert CHECKIN not in "".join(world.heard(line_user_id))
    again = await ask(world, lead, "/followups")
    assert "すべて止まっています" in again.plain_text()
    await world.slack.press(lead, world.leads_channel, shown.ts, "pause.all")  # a stale press
    await world.settle()
    await told(world, lead, "すでにすべて止まっています")
    await world.slack.press(lead, world.leads_channel, again.ts, "pause.end")
    await world.settle()
    await world.turn(timedelta(hours=1))
    assert CHECKIN in "".join(world.heard(line_user_id))


async def test_a_text_for_review_is_approved_in_the_alerts_channel_and_the_post_says_by_whom(
    world: World,
) -> None:
    line_user_id = await hanako(world)
    await world.track("c-1", "login")
    await world.publish({"inactive.yaml": INACTIVE + "approval: review\n"})
    await world.turn(timedelta(days=15))
    assert CHECKIN not in "".join(world.heard(line_user_id))
    post = notice(world, "しばらくご利用のない方へ")
    assert CHECKIN in post.plain_text()
    (approve, refuse) = post.buttons()
    assert (approve.action_id, refuse.action_id) == ("approval.approve", "approval.refuse")
    # a sales person may not
    await world.slack.press(world.sato, world.alerts_channel, post.ts, "approval.approve")
    await world.settle()
    await told(world, world.sato, "サポート責任者")
    assert CHECKIN not in "".join(world.heard(line_user_id))
    await world.slack.press(world.suzuki, world.alerts_channel, post.ts, "approval.approve")
    await world.settle()
    assert CHECKIN in "".join(world.heard(line_user_id))
    post = notice(world, "しばらくご利用のない方へ")
    assert post.buttons() == []
    assert "承認: <@" in post.plain_text()


async def test_a_backtest_runs_by_a_story_and_its_result_is_posted_with_a_chart(world: World) -> None:
    await hanako(world)
    await world.track("c-1", "login")
    await world.turn(timedelta(days=20))
    await world.track("c-2", "login")
    await world.publish({"inactive.yaml": SHADOW})
    lead = world.suzuki
    shown = await ask(world, lead, "/followups")
    await press(world, lead, shown, "rule.more", "inactive", selected_option="backtest")
    post = notice(world, "試しました")
    assert "過去" in post.plain_text()
    kinds = [block["type"] for block in post.blocks]
    assert "data_visualization" in kinds
    assert "送信 1 通" in post.text


async def test_sales_people_cannot_steer_and_may_ask_why(world: World) -> None:
    await hanako(world)
    await world.publish({"inactive.yaml": SHADOW})
    refused = await ask(world, world.sato, "/followups")
    assert "サポート責任者" in refused.plain_text()
    assert "山田 花子" in (await ask(world, world.sato, "/why", "c-1")).plain_text()


async def test_two_leads_editing_at_once_lose_nothing(world: World) -> None:
    await world.publish({"inactive.yaml": SHADOW})
    other = world.slack.add_member("tanaka", real_name="田中")
    group = world.slack.workspace.group(world.settings.slack_support_leads_group or "")
    group.member_ids.append(other)
    forms = {}
    for who in (world.suzuki, other):
        shown = await ask(world, who, "/followups")
        await press(world, who, shown, "rule.edit", "inactive")
        view = await view_with(world, who, "規則を編集")
        field = field_of(view, "login · last · more_than" if who == other else "priority")
        await world.slack.submit(who, view.id, {field: "20d" if who == other else "70"})
        forms[who] = (await view_with(world, who, "変わること")).id
    for who, view_id in forms.items():
        await world.slack.submit(who, view_id)
        await world.settle()
    await told(world, world.suzuki, "バージョン 2 を保存しました")
    conflict = await told(world, other, "保存していません")
    assert "priority" in conflict.plain_text()
    await world.slack.press(other, world.leads_channel, conflict.ts, "rule.edit")
    view = await view_with(world, other, "v2")
    field = field_of(view, "login · last · more_than")
    assert view.state[field[0]][field[1]]["value"] == "20d"
    await world.slack.submit(other, view.id)
    view = await view_with(world, other, "14d → 20d")
    await world.slack.submit(other, view.id)
    await world.settle()
    await told(world, other, "バージョン 3 を保存しました")
