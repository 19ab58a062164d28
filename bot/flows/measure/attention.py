"""What needs a support lead's eyes now, and in which order?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.slack.overview.digest import Said
from db.deciding.approvals import Approval, waiting_approvals
from db.desk.audit import entries_since
from db.desk.digests import dead_posts
from db.intake.pulls import all_pulls
from db.rulebook.rules import RuleBook
from db.talk.troubled import Troubled, troubled
from followups.measure import Figures, GuardrailState

STUCK_AFTER = 3
"""Failures in a row after which a source does not come back by itself."""
AUDITED = timedelta(days=2)
REFUSED = timedelta(days=7)
_FAILED = 5
_APPROVALS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Messages that failed, questions without an answer, and `notes`: everything else in a sentence each."""

    failed: tuple[Troubled, ...]
    failed_number: int
    approvals: tuple[Approval, ...]
    notes: tuple[Said, ...]

    def told(self) -> tuple[Said, ...]:
        """All of it in sentences, the most pressing first."""
        first = []
        if self.failed_number:
            first.append(
                Said(
                    ja=f"送れなかった、または届いたか分からないメッセージが {self.failed_number} 通"
                    "（Appのホームで処理できます）",
                    en=f"{self.failed_number} messages failed, or may have (settle them on the App Home)",
                )
            )
        if self.approvals:
            number = len(self.approvals)
            first.append(Said(ja=f"承認待ちが {number} 件", en=f"{number} questions wait for an approval"))
        return (*first, *self.notes)


async def needs(session: AsyncSession, book: RuleBook, ever: Figures | None, *, now: datetime) -> Needs:
    """Look it all up; five statements.

    Args:
        ever: the figures over all time, for what does harm; None: not known yet.
    """
    failed, number = await troubled(session, limit=_FAILED)
    notes = [*_harmful(ever), *_broken(book)]
    notes += [
        Said(
            ja=f"データの取り込み元 {pull.name} が {pull.failures} 回続けて失敗しています",
            en=f"the source {pull.name} has failed {pull.failures} times in a row",
        )
        for pull in await all_pulls(session)
        if pull.failures >= STUCK_AFTER
    ]
    found: Counter[str] = Counter()
    for entry in await entries_since(session, "rule.audit_failed", now - AUDITED):
        found[str(entry.details.get("rule_id"))] += int(entry.details.get("customers", 0))
    notes += [
        Said(
            ja=f"夜間の確認で、規則 {rule_id} の判定の抜けが {customers} 人分見つかりました",
            en=f"the nightly audit found {customers} missed decisions of the rule {rule_id}",
        )
        for rule_id, customers in sorted(found.items())
    ]
    if refused := await dead_posts(session, now - REFUSED):
        notes.append(
            Said(
                ja=f"Slackに出せなかった投稿が {refused} 件（`yorisoi doctor` で確かめられます）",
                en=f"{refused} posts could not be shown in Slack (see `yorisoi doctor`)",
            )
        )
    return Needs(
        failed=tuple(failed),
        failed_number=number,
        approvals=tuple(await waiting_approvals(session, limit=_APPROVALS)),
        notes=tuple(notes),
    )


def _harmful(ever: Figures | None) -> list[Said]:
    if ever is None:
        return []
    return [
        Said(
            ja=f"「{rule.name or rule.rule_id}」で{ja}が確かに増えています",
            en=f"{en} have surely risen with “{rule.name or rule.rule_id}”",
        )
        for rule in ever.rules
        for guard, ja, en in ((rule.opt_outs, "配信停止", "opt-outs"), (rule.blocks, "ブロック", "blocks"))
        if guard.state is GuardrailState.STOP
    ]


def _broken(book: RuleBook) -> list[Said]:
    return [
        Said(
            ja=f"規則 {rule_id} は読み取れず、止まっています",
            en=f"the rule {rule_id} cannot be read and rests",
        )
        for rule_id in sorted(book.broken)
    ]
