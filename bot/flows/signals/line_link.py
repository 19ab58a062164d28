"""How does the product offer its customer a link that connects their LINE account?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.deps import Deps
from bot.errors import Refused
from db.customers import add_customers, customer_id_of
from db.line_users import create_link_code, line_link_url


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOffer:
    """`url` opens the account's chat with the code written in; sending it links the sender."""

    url: str
    code: str
    expires_at: datetime


async def line_link(deps: Deps, external_id: str) -> LinkOffer:
    """Make a code for a customer, who need not be known yet.

    Raises:
        Refused: LINE is not configured.
        Unavailable: LINE did not tell the account's id, or the database is out of reach.
    """
    now = deps.clock.now()
    if deps.line is None:
        raise Refused(
            ja="LINEが設定されていません。LINE_CHANNEL_ACCESS_TOKENを設定してください。",
            en="LINE is not configured. Set LINE_CHANNEL_ACCESS_TOKEN.",
        )
    basic_id = await deps.line.basic_id()
    customer_id = customer_id_of(external_id)

    async with deps.db.begin() as session:
        await add_customers(session, {customer_id: external_id}, now=now)
        code = await create_link_code(session, customer_id, now=now, ids=deps.ids)
    return LinkOffer(url=line_link_url(basic_id, code.code), code=code.code, expires_at=code.expires_at)
