"""Claim: a person takes a lead; of two at the same moment one gets it, the other is told who did."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.staff.acting import DONE, Act, Answer, changed_meanwhile, check_open, held, note, show
from bot.line.bubbles import text_bubble
from bot.slack.mrkdwn import mention
from db.desk import audit, leads
from db.desk.lead_cards import LeadContext
from db.desk.leads import Lead
from db.people.staff import staff_of
from db.talk import conversations
from db.talk.messages import Message, MessageKind, MessageState, promise
from followups.rules.model import Sender
from prompts.texts import system_text


async def claim(session: AsyncSession, act: Act) -> Answer:
    """Give the lead, and the conversation with the customer, to the actor.

    Raises:
        Refused: somebody else was first, or the lead is closed.
    """
    context = await held(session, act)
    lead = context.lead
    check_open(act, lead)
    me = act.actor.slack_user_id
    if lead.owner == me and lead.state != leads.LeadState.SNOOZED:
        return Answer(ja="すでにあなたが担当しています。", en="You own this lead already.")
    if lead.owner not in (None, me):
        at = act.at(lead.claimed_at) if lead.claimed_at else ""
        raise Refused(
            f"{mention(lead.owner)}さんが{at}に担当になっています。",
            f"{mention(lead.owner)} claimed this at {at}.",
        )
    await take(session, act, lead)
    await introduce(session, act, context)
    who = mention(me)
    said = {"ja": f"{who} さんが担当します。", "en": f"{who} claimed this lead."}
    await note(session, act, lead, f"claimed:{lead.revision}", said)
    await show(session, act, lead)
    return DONE


async def introduce(session: AsyncSession, act: Act, context: LeadContext) -> None:
    """Tell a customer who waits for an answer who will give it: once per lead, where the policy has it so."""
    conversation, user = context.conversation, context.line_user
    is_waiting = conversation is not None and conversation.is_unanswered and not context.is_answered
    if not (act.policy.routing.introduce and is_waiting) or user is None or context.unreachable:
        return
    language = (context.customer.language if context.customer else None) or user.language
    words = system_text("person_takes_over").say(language, name=await signature(session, act))
    await promise(
        session,
        Message(
            customer_id=context.lead.customer_id,
            message_id=act.deps.ids.uuid(),
            kind=MessageKind.ANSWER.value,
            state=MessageState.QUEUED.value,
            dedupe_key=f"introduced:{context.lead.lead_id}",
            line_user_id=user.line_user_id,
            template="system/person_takes_over",
            bubbles=[text_bubble(words, act.policy.senders.bot)],
            plain_text=words,
            lead_id=context.lead.lead_id,
            promised_at=act.now,
            not_before=act.now,
        ),
    )


async def sender_of(session: AsyncSession, act: Act) -> Sender:
    """Whom the actor's words are from: the name they chose, else the policy's or Slack's, and an icon."""
    me = act.actor.profile
    known = (await staff_of(session, [me.slack_user_id])).get(me.slack_user_id)
    listed = act.policy.senders.people.get(me.slack_user_id, Sender())
    name = (known.signs_as if known else None) or listed.name or me.name
    return Sender(name=name, icon_url=listed.icon_url)


async def signature(session: AsyncSession, act: Act) -> str:
    """The name customers see of the actor: their own choice, else the policy's, else the one in Slack."""
    return (await sender_of(session, act)).name or act.actor.profile.name


async def take(session: AsyncSession, act: Act, lead: Lead) -> None:
    """Make the actor the owner of the held lead and of its conversation.

    Raises:
        Refused: the lead changed since it was read.
    """
    me = act.actor.slack_user_id
    if not await leads.claim(session, lead, owner=me, now=act.now):
        raise changed_meanwhile()
    await conversations.own(session, lead.customer_id, owner=me, now=act.now)
    await audit.record(
        session,
        actor=me,
        action="lead.claimed",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        ids=act.deps.ids,
        now=act.now,
    )
