"""Toggle: a support lead switches a rule on, off or a step further; or everything at once."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.rules.publish import backfill_all, hold_time
from bot.flows.steering.leading import Steering, Told
from bot.slack.rule_blocks.words import say
from db.deciding.pauses import Pause, lift_pause, put_pause
from db.desk import audit
from db.rulebook.publications import held_row, set_state
from db.talk.messages import release_all_held
from followups.rules.model import RuleState


async def toggle(session: AsyncSession, act: Steering) -> Told:
    """Switch the rule, unless it is not in the state the button was shown for.

    Raises:
        Refused: it was switched meanwhile, or cannot go there.
    """
    before, _, after = act.subject.word.partition(">")
    rule_id = act.subject.name
    if after not in set(RuleState):
        raise Refused("このボタンは使えません。", "This button does nothing.")
    await hold_time(session, act.deps)
    row = await held_row(session, rule_id)
    if row.state != before:
        who, at = row.changed_by, act.at(row.changed_at)
        raise Refused(
            f"規則 {rule_id} は{at}に変わり、いまは「{say(row.state, 'ja')}」です（{_person(who)}）。"
            "`/followups` を開き直してください。",
            f"The rule {rule_id} was changed at {at} and is “{row.state}” now ({_person(who)})."
            " Open `/followups` again.",
        )
    state = RuleState(after)
    watches = await set_state(session, rule_id, state, by=act.by, ids=act.deps.ids, now=act.now)
    await backfill_all(session, watches)
    return Told(
        ja=f"✅ 規則 {rule_id} を「{say(after, 'ja')}」にしました。",
        en=f"✅ The rule {rule_id} is “{say(after, 'en')}” now.",
        wakes=("deliver", "tick"),
        is_scanning=True,
    )


async def pause_everything(session: AsyncSession, act: Steering) -> Told:
    """Nothing that rules decided goes out from now on.

    Raises:
        Refused: everything is paused already.
    """
    if not await put_pause(session, Pause(by=act.by, at=act.now)):
        raise Refused("すでにすべて止まっています。", "Everything is paused already.")
    await audit.record(session, actor=act.by, action="rules.paused", ids=act.deps.ids, now=act.now)
    return Told(
        ja="⏸ 規則からの送信をすべて止めました。`/followups` かApp Homeから再開できます。",
        en="⏸ Everything that rules send is paused. Resume it from `/followups` or App Home.",
    )


async def resume_everything(session: AsyncSession, act: Steering) -> Told:
    """Rules' messages go out again.

    Raises:
        Refused: nothing was paused.
    """
    lifted = await lift_pause(session)
    if lifted is None:
        raise Refused("いまは止まっていません。", "Nothing is paused.")
    await release_all_held(session, now=act.now)
    await audit.record(session, actor=act.by, action="rules.resumed", ids=act.deps.ids, now=act.now)
    return Told(ja="▶ 規則からの送信を再開しました。", en="▶ Rules send again.", wakes=("deliver",))


def _person(actor: str) -> str:
    return f"<@{actor}>" if actor[:1] in {"U", "W"} and actor.isalnum() and actor.isupper() else actor
