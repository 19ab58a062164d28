"""Undo a version: a support lead rolls a rule back to what it said before."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.rules.publish import hold_time
from bot.flows.steering.leading import Steering, Told
from bot.flows.versions.rollback import take_back
from db.rulebook.publications import held_row


async def undo_version(session: AsyncSession, act: Steering) -> Told:
    """Make a new version with the text of `subject.word`, unless the rule has changed since it was shown.

    Raises:
        Refused: it was changed meanwhile; there is no such version, or it says the same as now.
        RuleError: this program cannot read the old text any more.
    """
    rule_id, word = act.subject.name, act.subject.word
    if not (word.isascii() and word.isdecimal()):
        raise Refused("このボタンは使えません。", "This button does nothing.")
    await hold_time(session, act.deps)
    row = await held_row(session, rule_id)
    if row.version != act.subject.version:
        raise Refused(
            f"規則 {rule_id} は{act.at(row.changed_at)}に変わっています（いまはバージョン {row.version}）。"
            "履歴を開き直してください。",
            f"The rule {rule_id} was changed at {act.at(row.changed_at)} (version {row.version} now)."
            " Open its history again.",
        )
    version = await take_back(act.deps, session, rule_id, to=int(word), by=act.by)
    return Told(
        ja=f"✅ 規則 {rule_id} をバージョン {word} の内容に戻しました（新しいバージョン {version}）。",
        en=f"✅ The rule {rule_id} says what version {word} said (it is version {version} now).",
        wakes=("tick",),
        is_scanning=True,
    )
