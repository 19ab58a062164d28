"""Which LINE users do we know, are they friends, and to which customer does each belong?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from urllib.parse import quote

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Ids
from db.columns import UUID, datetime
from db.deciding.ticks import mark_dirty
from db.people.customers import Customer, LineUser, LinkCode, customer_id_of_line_user, lock_customers
from db.people.moving import Pair, move_over

CODE_LIVES = timedelta(hours=24)
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 and O, no 1, I and L: nobody mistypes what they read."""
_CODE = re.compile(rf"(?<![0-9A-Z])YR-?([{_LETTERS}]{{8}})(?![0-9A-Z])")


# --- friendship ---------------------------------------------------------------------------------------


async def hold(
    session: AsyncSession,
    line_user_id: str,
    *,
    destination: str | None,
    now: datetime,
    also: Iterable[UUID] = (),
) -> LineUser:
    """The LINE user as they are with their customer (and `also`) locked; made known if they are not."""
    placeholder = customer_id_of_line_user(line_user_id)
    user = await user_of(session, line_user_id)
    if user is None:
        await _add_placeholder(session, placeholder, line_user_id, now=now)
        await session.execute(
            insert(LineUser)
            .values(
                line_user_id=line_user_id,
                customer_id=placeholder,
                destination=destination,
                is_friend=False,
                is_blocked=False,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )
    others = set(also)
    known = user.customer_id if user else placeholder
    while True:
        await lock_customers(session, {known, *others})
        user = await user_of(session, line_user_id)
        assert user is not None
        if user.customer_id == known:
            return user
        known = user.customer_id  # linked by somebody else while we waited for the lock


async def _add_placeholder(
    session: AsyncSession, customer_id: UUID, line_user_id: str, *, now: datetime
) -> None:
    await session.execute(
        insert(Customer)
        .values(
            customer_id=customer_id,
            attributes={},
            attribute_times={},
            line_user_id=line_user_id,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )


async def user_of(session: AsyncSession, line_user_id: str) -> LineUser | None:
    """What is known of a LINE user."""
    found: LineUser | None = await session.scalar(
        select(LineUser)
        .where(col(LineUser.line_user_id) == line_user_id)
        .execution_options(populate_existing=True)
    )
    return found


async def user_of_customer(session: AsyncSession, customer_id: UUID) -> LineUser | None:
    """The LINE user of a customer, if there is one."""
    found: LineUser | None = await session.scalar(
        select(LineUser).where(col(LineUser.customer_id) == customer_id).limit(1)
    )
    return found


async def unreachable(session: AsyncSession, line_user_ids: Iterable[str]) -> set[str]:
    """Who of these has blocked us, and has not written since (then they must have come back)."""
    found = await session.scalars(
        select(col(LineUser.line_user_id)).where(
            col(LineUser.line_user_id).in_(set(line_user_ids)),
            col(LineUser.is_blocked),
            or_(
                col(LineUser.last_inbound_at).is_(None),
                col(LineUser.last_inbound_at) <= col(LineUser.state_at),
            ),
        )
    )
    return set(found)


async def befriend(session: AsyncSession, line_user_id: str, *, at: datetime) -> bool:
    """They added or unblocked us at `at`; False: a newer event is known, nothing changed."""
    return await _turn(session, line_user_id, at=at, is_friend=True)


async def block(session: AsyncSession, line_user_id: str, *, at: datetime) -> bool:
    """They blocked us at `at`; False: a newer event is known. At the same moment, blocking wins."""
    return await _turn(session, line_user_id, at=at, is_friend=False)


async def _turn(session: AsyncSession, line_user_id: str, *, at: datetime, is_friend: bool) -> bool:
    known = col(LineUser.state_at)
    turned = await session.scalar(
        update(LineUser)
        .where(
            col(LineUser.line_user_id) == line_user_id,
            or_(known.is_(None), known < at if is_friend else known <= at),
        )
        .values(is_friend=is_friend, is_blocked=not is_friend, state_at=at, rich_menu_id=None)
        .returning(col(LineUser.line_user_id))
        .execution_options(synchronize_session=False)
    )
    return turned is not None


async def spoke_at(session: AsyncSession, line_user_id: str, *, at: datetime) -> None:
    """They wrote to us at `at`."""
    await session.execute(
        update(LineUser)
        .where(col(LineUser.line_user_id) == line_user_id)
        .values(last_inbound_at=func.greatest(col(LineUser.last_inbound_at), at))
        .execution_options(synchronize_session=False)
    )


async def introduce(
    session: AsyncSession, line_user_id: str, *, display_name: str, language: str | None
) -> None:
    """What LINE tells of them."""
    await session.execute(
        update(LineUser)
        .where(col(LineUser.line_user_id) == line_user_id)
        .values(display_name=display_name, language=language)
        .execution_options(synchronize_session=False)
    )


# --- linking ------------------------------------------------------------------------------------------


async def create_link_code(session: AsyncSession, customer_id: UUID, *, now: datetime, ids: Ids) -> LinkCode:
    """A new code for this customer: `YR-` and 8 letters and digits (39 bits), once, for 24 hours."""
    noise = ids.uuid().int & ((1 << 62) - 1)
    letters = ""
    for _ in range(8):
        noise, index = divmod(noise, len(_LETTERS))
        letters += _LETTERS[index]
    code = LinkCode(
        code=f"YR-{letters}", customer_id=customer_id, created_at=now, expires_at=now + CODE_LIVES
    )
    session.add(code)
    await session.flush()
    return code


def line_link_url(basic_id: str, code: str) -> str:
    """A link that opens the account's chat with the code written in (LINE URL schemes, oaMessage)."""
    account = basic_id if basic_id.startswith("@") else f"@{basic_id}"
    return f"https://line.me/R/oaMessage/{quote(account, safe='')}/?{quote(code, safe='')}"


def code_in(text: str) -> str | None:
    """The link code in what somebody wrote, in any width or case."""
    found = _CODE.search(unicodedata.normalize("NFKC", text).upper())
    return f"YR-{found[1]}" if found else None


async def link_code(session: AsyncSession, code: str) -> LinkCode | None:
    """A code as it stands now."""
    found: LinkCode | None = await session.scalar(
        select(LinkCode).where(col(LinkCode.code) == code).execution_options(populate_existing=True)
    )
    return found


async def spend(session: AsyncSession, code: str, *, line_user_id: str, now: datetime) -> bool:
    """Use a code up; False when it is spent or past its time."""
    spent = await session.scalar(
        update(LinkCode)
        .where(col(LinkCode.code) == code, col(LinkCode.used_at).is_(None), col(LinkCode.expires_at) > now)
        .values(used_at=now, used_by=line_user_id)
        .returning(col(LinkCode.code))
        .execution_options(synchronize_session=False)
    )
    return spent is not None


class LinkOutcome(StrEnum):
    """What came of linking. The last three changed nothing."""

    LINKED = "linked"
    ALREADY_LINKED = "already_linked"
    CUSTOMER_IS_TAKEN = "customer_is_taken"
    LINE_USER_IS_TAKEN = "line_user_is_taken"
    CUSTOMER_IS_GONE = "customer_is_gone"


async def link(
    session: AsyncSession,
    *,
    line_user_id: str,
    customer_id: UUID,
    now: datetime,
    destination: str | None = None,
) -> LinkOutcome:
    """Let this LINE user be this customer; everything said and agreed to before moves over.

    One LINE user is at most one customer's and the other way round: a conflict changes nothing. Locks both
    customers; call it before anything else of them is locked, or with both locked.
    """
    user = await hold(session, line_user_id, destination=destination, now=now, also=[customer_id])
    if user.customer_id == customer_id:
        return LinkOutcome.ALREADY_LINKED
    placeholder = customer_id_of_line_user(line_user_id)
    if user.customer_id != placeholder:
        return LinkOutcome.LINE_USER_IS_TAKEN
    customer = await session.scalar(
        select(Customer)
        .where(col(Customer.customer_id) == customer_id)
        .execution_options(populate_existing=True)
    )
    if customer is None or customer.erased_at is not None:
        return LinkOutcome.CUSTOMER_IS_GONE
    if await user_of_customer(session, customer_id) is not None:
        return LinkOutcome.CUSTOMER_IS_TAKEN
    await move_over(session, Pair(placeholder, customer_id), now=now)
    await session.execute(
        update(Customer)
        .where(col(Customer.customer_id) == customer_id)
        .values(line_user_id=line_user_id)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(LineUser)
        .where(col(LineUser.line_user_id) == line_user_id)
        .values(customer_id=customer_id)
        .execution_options(synchronize_session=False)
    )
    await mark_dirty(session, [customer_id], now=now)
    return LinkOutcome.LINKED
