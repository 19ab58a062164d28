"""How does the product connect its customer's LINE account, by a code or LINE's dialog, and part the two?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from db.desk import audit
from db.people.customers import add_customers, customer_id_of, lock_customers
from db.people.line_users import create_link_code, line_link_url
from db.people.linking import create_nonce, unlink

DIALOG = "https://access.line.me/dialog/bot/accountLink"
_NOT_CONFIGURED = Refused(
    ja="LINEが設定されていません。LINE_CHANNEL_ACCESS_TOKENを設定してください。",
    en="LINE is not configured. Set LINE_CHANNEL_ACCESS_TOKEN.",
)


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
        raise _NOT_CONFIGURED
    basic_id = await deps.line.basic_id()
    customer_id = customer_id_of(external_id)

    async with deps.db.begin() as session:
        await add_customers(session, {customer_id: external_id}, now=now)
        code = await create_link_code(session, customer_id, now=now, ids=deps.ids)
    return LinkOffer(url=line_link_url(basic_id, code.code), code=code.code, expires_at=code.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class NonceOffer:
    """`url`: where the product sends its customer next; empty where it named no link token."""

    nonce: str
    url: str
    expires_at: datetime


def read_link_token(body: bytes) -> str | None:
    """LINE's link token in `{"linkToken": …}`; None where the body names none."""
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return None
    token = parsed.get("linkToken") if isinstance(parsed, dict) else None
    return token if isinstance(token, str) and 0 < len(token) <= 200 else None


async def account_link_nonce(deps: Deps, external_id: str, link_token: str | None) -> NonceOffer:
    """A nonce for a customer who has just signed in to the product, for LINE's account-link dialog.

    Args:
        link_token: what the product's page was opened with (`linkToken`).

    Raises:
        Refused: LINE is not configured.
        Unavailable: the database is out of reach.
    """
    now = deps.clock.now()
    if deps.line is None:
        raise _NOT_CONFIGURED
    customer_id = customer_id_of(external_id)
    async with deps.db.begin() as session:
        await add_customers(session, {customer_id: external_id}, now=now)
        nonce, expires_at = await create_nonce(session, customer_id, now=now, ids=deps.ids)
    query = urlencode({"linkToken": link_token, "nonce": nonce}) if link_token else ""
    return NonceOffer(nonce=nonce, url=f"{DIALOG}?{query}" if query else "", expires_at=expires_at)


async def unlink_customer(deps: Deps, external_id: str, *, by: str) -> bool:
    """Part a customer of the product from their LINE user; False: none was linked.

    Args:
        by: who asked for it, `product` or a person; kept in the audit trail.
    """
    customer_id = customer_id_of(external_id)

    async def write(session: AsyncSession) -> bool:
        now = deps.clock.now()
        await lock_customers(session, {customer_id})
        if await unlink(session, customer_id, now=now) is None:
            return False
        await audit.record(
            session, actor=by, action="link.ended", ids=deps.ids, now=now, customer_id=customer_id
        )
        return True

    is_ended = await deps.db.run(write)
    if is_ended:
        await deps.waker.wake("decide")
    return is_ended
