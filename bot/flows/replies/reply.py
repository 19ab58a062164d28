"""Reply: an owner writes to their customer in their own words; asked to confirm before anything is sent."""

from __future__ import annotations

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import Actor
from bot.slack.ids import Target
from bot.slack.mrkdwn import clean
from bot.slack.views import name_of
from db.desk import posts
from db.desk.lead_cards import LeadContext, load_context
from db.desk.leads import open_leads_of
from db.talk import drafts

MOST_LEADS = 50
_HOW = (
    "`/reply 本文`、担当が複数あるときは `/reply お客様名 本文` と書いてください。",
    "Write `/reply text`, or `/reply NAME text` when you own several leads.",
)


async def reply(deps: Deps, actor: Actor, written: str) -> Target:
    """Keep what was written as a draft of the lead it is for; the modal that follows confirms it.

    Raises:
        Refused: nothing written, no open lead of one's own, or not clear which one is meant.
    """
    text = clean(written).strip()
    if not text:
        raise Refused(f"送る文面がありません。{_HOW[0]}", f"There is nothing to send. {_HOW[1]}")
    now = deps.clock.now()
    async with deps.db.begin() as session:
        owned = await open_leads_of(session, actor.slack_user_id, limit=MOST_LEADS)
        contexts = [await load_context(session, lead.lead_id, now=now) for lead in owned]
        context, text = _meant([each for each in contexts if each is not None], text)
        draft = await drafts.add_draft(
            session,
            customer_id=context.lead.customer_id,
            lead_id=context.lead.lead_id,
            conversation_revision=context.revision,
            text=text,
            source="person",
            findings=(),
            ids=deps.ids,
            now=now,
        )
        await posts.touch_card(session, context.lead.customer_id, now=now)
    await deps.waker.wake("post")
    return Target(lead_id=context.lead.lead_id, draft_id=draft.draft_id, revision=context.lead.revision)


def _meant(contexts: list[LeadContext], text: str) -> tuple[LeadContext, str]:
    if not contexts:
        raise Refused(
            "担当している見込みがありません。カードの「担当する」を押してから使ってください。",
            "You own no open lead. Press Claim on a card first.",
        )
    first, _, rest = text.partition(" ")
    named = [each for each in contexts if first.rstrip("様") in (name_of(each) or "").split()]
    named = named or [each for each in contexts if first.rstrip("様") == (name_of(each) or "")]
    if len(named) == 1 and rest.strip():
        return named[0], rest.strip()
    if len(contexts) == 1:
        return contexts[0], text
    raise Refused(
        f"担当が{len(contexts)}件あり、どのお客様か分かりません。{_HOW[0]}",
        f"You own {len(contexts)} leads: for which customer? {_HOW[1]}",
    )
