"""Two people press at the same moment, many times: one message, one owner, and is the other told?"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from uuid import UUID

from bot.flows.staff.keep import Keeper
from bot.flows.staff.press import press
from bot.slack.ids import Action, Target
from bot.slack.presses import Press
from db.desk.leads import Lead
from db.engine import Database
from db.intake.inbox import InboxRow
from db.talk import drafts
from tests.flows.desk import Desk, desk

RACES = int(os.environ.get("RACES", "120"))
"""Pairs of presses, a third each of Send, Undo and Claim; the long campaign runs 1,000 of them."""
PAIRS = RACES // 3
CLAIMS = RACES - 2 * PAIRS
MOST_SECONDS = 30 + RACES * 0.4
"""1,000 took 134 s on two cores that eight others shared."""


async def _open(d: Desk, count: int) -> list[tuple[UUID, UUID]]:
    """Leads with a draft each: (lead, draft)."""
    made = []
    for _ in range(count):
        lead_id = await d.lead(says=None)
        async with d.deps.db.begin() as session:
            draft = await drafts.add_draft(
                session,
                customer_id=UUID(int=d.count),
                lead_id=lead_id,
                conversation_revision=0,
                text="ご連絡ありがとうございます。",
                source="template",
                findings=(),
                ids=d.deps.ids,
                now=d.clock.now(),
            )
        made.append((lead_id, draft.draft_id))
    return made


async def _both(d: Desk, action: Action, targets: list[Target]) -> None:
    """Both press every one of these; four processes take the presses up."""
    keeper = Keeper(d.deps)
    await asyncio.gather(
        *(
            keeper.press(
                Press(action=action, target=target, slack_user_id=who, channel=d.leads),
                event_id=f"{action}:{target.lead_id}:{who}",
            )
            for target in targets
            for who in (d.sato, d.suzuki)
        )
    )
    while sum(await asyncio.gather(*(press(d.deps) for _ in range(4)))):
        pass


def _told(d: Desk) -> int:
    return sum(len(d.whispers(who)) for who in (d.sato, d.suzuki))


async def test_pairs_of_presses_at_one_moment_make_one_of_each_and_the_other_is_told(db: Database) -> None:
    begin = time.monotonic()
    async with desk(db) as d:
        group = d.slack.add_user_group("leads", [d.sato, d.suzuki])
        d.set(slack_support_leads_group=group)
        pairs = await _open(d, PAIRS)
        await _both(d, Action.SEND, [Target(lead_id=a, draft_id=b, revision=1) for a, b in pairs])
        sent = await d.written()
        assert Counter(each.lead_id for each in sent) == Counter(lead_id for lead_id, _ in pairs)
        owners = {each.lead_id: each.owner for each in await d.rows(Lead)}
        assert all(each.approved_by == owners[each.lead_id] for each in sent)
        assert _told(d) == PAIRS, "who was second is told who was first"

        await _both(d, Action.UNDO, [Target(lead_id=a, draft_id=None, revision=1) for a, _ in pairs])
        assert {each.state for each in await d.written()} == {"cancelled"}
        assert _told(d) == 2 * PAIRS
        back = [each for each in await d.drafts() if each.sent_at is None]
        assert len(back) == PAIRS, "each text is back once"

        fresh = await _open(d, CLAIMS)
        await _both(d, Action.CLAIM, [Target(lead_id=a, draft_id=None, revision=1) for a, _ in fresh])
        claimed = {lead_id for lead_id, _ in fresh}
        assert all(each.owner for each in await d.rows(Lead) if each.lead_id in claimed)
        assert _told(d) == 2 * PAIRS + CLAIMS
        assert [each for each in await d.rows(InboxRow) if each.done_at is None] == []
    assert time.monotonic() - begin < MOST_SECONDS
