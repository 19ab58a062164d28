"""Leads: which open leads does a person own?"""

from __future__ import annotations

from bot.deps import Deps
from bot.flows.staff.acting import Actor
from bot.slack.overview.home import lead_line
from bot.slack.views import card_of
from bot.slack.words import say
from db.desk.lead_cards import load_context
from db.desk.leads import open_leads_of

MOST_LEADS = 20


async def list_leads(deps: Deps, actor: Actor) -> str:
    """This person's open leads as mrkdwn, the longest open first."""
    language = actor.profile.language
    now = deps.clock.now()
    async with deps.db.begin() as session:
        owned = await open_leads_of(session, actor.slack_user_id, limit=MOST_LEADS)
        contexts = [await load_context(session, lead.lead_id, now=now) for lead in owned]
    lines = [lead_line(card_of(each, language=language), language=language) for each in contexts if each]
    if not lines:
        return say("home.none", language)
    return "\n".join([f"*{say('home.mine', language)}*", *(f"• {line}" for line in lines)])
