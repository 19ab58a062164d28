"""How does a digest look now, with what somebody answered to its suggestion?"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.mrkdwn import mention, when
from bot.slack.overview.digest import Digest, digest_message
from bot.slack.overview.words import say
from db.keeping.declined import settled_proposal


async def digest_now(session: AsyncSession, content: Json, *, language: str, now: datetime) -> Written:
    """The message: figures as they stood, and who settled the suggestion since."""
    shown = Digest.of_plain(content)
    settled = await settled_proposal(session, shown.offer.key, now=now) if shown.offer is not None else None
    words = None
    if settled is not None:
        at = when(datetime.fromisoformat(settled["at"]))
        words = say(settled["word"], language, who=mention(settled["by"]), at=at)
    return digest_message(shown, language=language, settled=words)
