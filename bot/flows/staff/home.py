"""Home: a person opens our tab in Slack and sees the leads they own."""

from __future__ import annotations

import structlog

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.flows.staff.acting import actor_of
from bot.slack.home import home_view
from bot.slack.views import card_of
from db.desk.lead_cards import load_context
from db.desk.leads import open_leads_of

log = structlog.get_logger()

MOST_LEADS = 20


async def show_home(deps: Deps, slack_user_id: str) -> None:
    """Publish this person's Home tab. What they may not see is not on it. Losing it is harmless."""
    if deps.slack is None:
        return
    now = deps.clock.now()
    try:
        actor = await actor_of(deps, slack_user_id)
        async with deps.db.begin() as session:
            owned = await open_leads_of(session, slack_user_id, limit=MOST_LEADS)
            contexts = [await load_context(session, lead.lead_id, now=now) for lead in owned]
        language = actor.profile.language
        cards = [card_of(context, language=language) for context in contexts if context is not None]
        await deps.slack.publish_home(slack_user_id=slack_user_id, view=home_view(cards, language=language))
    except (Refused, Unavailable) as error:
        log.warning("home.not_shown", because=str(error))
