"""How is a person in Slack told something that only they see?"""

from __future__ import annotations

from bot.deps import Deps
from bot.errors import Refused
from handlers.boundary import Tell


def whisperer(deps: Deps, slack_user_id: str, channel: str | None, thread_ts: str | None = None) -> Tell:
    """A way to tell this person, where they acted, in their language."""

    async def tell(refused: Refused) -> None:
        place = channel or deps.settings.slack_leads_channel
        if deps.slack is None or place is None:
            return
        profile = await deps.slack.profile(slack_user_id)
        text = refused.in_language(profile.language)
        await deps.slack.whisper(channel=place, slack_user_id=slack_user_id, text=text, thread_ts=thread_ts)

    return tell
