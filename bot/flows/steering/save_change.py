"""Save: what a support lead typed into a rule's form, and saw as a difference, becomes a new version."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.rules.edit import ChangedMeanwhile, edit
from bot.flows.steering.leading import Steering, Told
from bot.ports import Json
from bot.slack.ids import Action
from bot.slack.mrkdwn import plain
from bot.slack.rule_blocks.form import PEOPLE, restored
from bot.slack.rule_blocks.pages import text_blocks
from bot.slack.rule_blocks.steers import Subject
from bot.slack.rule_blocks.words import say
from db.rulebook.changes import ChangeState, RuleChange, change_by_id, settle_change
from db.rulebook.versions import versions_of
from followups.versions.fields import FormField, changes_of, fields_of

_DIFF_LINES = 60


async def save_change(session: AsyncSession, act: Steering) -> Told:
    """Make the version; where the rule was changed meanwhile, keep what was typed and show both.

    Raises:
        Refused: there is no such change any more, it was saved before, or it changes nothing.
        RuleError: the result is no valid rule.
    """
    change = await change_named(session, act.subject.name)
    if change.state == ChangeState.SAVED:
        raise Refused("この変更はもう保存されています。", "This change was saved before.")
    changes, wrong = changes_of(await fields_at(session, change), restored(change.typed))
    if wrong or not changes:
        raise Refused("何も変わっていません。", "Nothing was changed.")
    try:
        async with session.begin_nested():
            version = await edit(
                act.deps,
                session,
                change.rule_id,
                changes,
                base_version=change.base_version,
                by=act.by,
                is_moving=act.steer.form.get(PEOPLE) == "move",
            )
    except ChangedMeanwhile as outdated:
        await settle_change(session, change, ChangeState.OUTDATED, now=act.now)
        return conflict(change, outdated)
    await settle_change(session, change, ChangeState.SAVED, now=act.now)
    return Told(
        ja=f"✅ 規則 {change.rule_id} のバージョン {version} を保存しました。"
        "元に戻すには `/followups` の「履歴・元に戻す」を使います。",
        en=f"✅ Version {version} of the rule {change.rule_id} is saved. To undo it: `/followups`, History.",
        wakes=("tick",),
        is_scanning=True,
    )


def conflict(change: RuleChange, outdated: ChangedMeanwhile) -> Told:
    """Both changes: theirs as a difference, one's own to be opened again."""

    def blocks(language: str) -> Sequence[Json]:
        subject = Subject(name=change.rule_id, word=f"again:{change.change_id}")
        button: Json = {
            "type": "button",
            "action_id": Action.RULE_EDIT.value,
            "text": plain(say("editing.reopen", language)),
            "value": subject.encode(),
            "style": "primary",
        }
        shown = text_blocks(outdated.difference[:_DIFF_LINES], most=3, language=language)
        return [*shown, {"type": "actions", "elements": [button]}]

    return Told(
        ja=f"⚠️ 保存していません。{outdated.ja}。あなたの変更は残っています。",
        en=f"⚠️ Nothing was saved: {outdated.en}. Your changes are kept.",
        blocks=blocks,
        is_refused=True,
    )


async def change_named(session: AsyncSession, name: str) -> RuleChange:
    """A change, held.

    Raises:
        Refused: there is none of this id.
    """
    try:
        change = await change_by_id(session, UUID(name))
    except ValueError:
        change = None
    if change is None:
        raise Refused(
            "この変更はもうありません。開き直してください。", "This change is gone. Open the form again."
        )
    return change


async def fields_at(session: AsyncSession, change: RuleChange) -> list[FormField]:
    """The fields of the version the change began from.

    Raises:
        Refused: there is no such rule any more.
    """
    for version in await versions_of(session, change.rule_id):
        if version.version == change.base_version:
            return fields_of(version.source, version.messages)
    raise Refused("この規則はもうありません。", "This rule does not exist any more.")
