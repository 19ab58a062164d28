"""Is this webhook for our own account?

The signature says that LINE sent it under a channel secret we hold; where two are held (rotation), or a wrong
one, only `destination` tells whose people these are. Another account's are never acted on.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Unavailable
from db.desk.posts import add_alert
from db.intake.inbox import InboxRow, put_by
from db.rulebook.rules import put_setting, setting

ANOTHER_ACCOUNT = "destination: another account's"
OWN = "line_bot_user_id"


async def learn_own_id(deps: Deps) -> None:
    """Ask LINE who we are and keep it: while LINE is silent, the last answer counts."""
    if deps.line is None:
        return
    try:
        own = await deps.line.bot_user_id()
    except Unavailable:
        return
    async with deps.db.begin() as session:
        known = await setting(session, OWN)
        if known is None or known.get("id") != own:
            await put_setting(session, OWN, {"id": own}, now=deps.clock.now())


async def own_id(deps: Deps, session: AsyncSession) -> str | None:
    """Our account's user id; None: LINE never told us, so nothing can be told apart."""
    known = await setting(session, OWN) if deps.line is not None else None
    return str(known["id"]) if known is not None else None


async def put_by_another(deps: Deps, session: AsyncSession, row: InboxRow, *, now: datetime) -> set[str]:
    """Keep it as it came and tell staff once for each account; returns the stories to wake."""
    await put_by(session, [row], now=now, because=ANOTHER_ACCOUNT)
    await add_alert(
        session,
        key=f"destination:{row.destination}",
        ja=f"別の LINE 公式アカウント宛ての Webhook が届いています（destination {row.destination}）。"
        "処理はしていません。LINE_CHANNEL_SECRET と LINE_CHANNEL_ACCESS_TOKEN が同じチャネルのものか、"
        "Webhook URL がほかのチャネルに設定されていないか確認してください。",
        en=f"Webhooks for another LINE account arrive (destination {row.destination}) and are not acted on."
        " See that LINE_CHANNEL_SECRET and LINE_CHANNEL_ACCESS_TOKEN are of one channel, and that no other"
        " channel has this webhook URL.",
        ids=deps.ids,
        now=now,
    )
    return {"post"}
