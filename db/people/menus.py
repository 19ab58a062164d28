"""Which rich menus hang below the chat, and which LINE users were told to see another than the default?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import UUID, datetime
from db.people.customers import LineUser
from db.rulebook.rules import put_setting, setting

MENUS = "rich_menus"


@dataclass(frozen=True, slots=True, kw_only=True)
class MenusInForce:
    """LINE's ids. `is_pending`: who is to see which has still to be worked out."""

    default: str
    by_stage: Mapping[str, str] = field(default_factory=dict)
    is_pending: bool = False


async def menus_in_force(session: AsyncSession) -> MenusInForce | None:
    """What was applied last; None: nothing ever was."""
    content = await setting(session, MENUS)
    return MenusInForce(**content) if content is not None else None


async def keep_menus(session: AsyncSession, menus: MenusInForce, *, now: datetime) -> None:
    """Keep what is in force."""
    content = {
        "default": menus.default,
        "by_stage": dict(menus.by_stage),
        "is_pending": menus.is_pending,
    }
    await put_setting(session, MENUS, content, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """One friend and the menu of their own; None: the default."""

    line_user_id: str
    customer_id: UUID
    rich_menu_id: str | None


async def viewers_after(session: AsyncSession, line_user_id: str, *, limit: int) -> list[Viewer]:
    """The next friends by id."""
    rows = await session.execute(
        select(col(LineUser.line_user_id), col(LineUser.customer_id), col(LineUser.rich_menu_id))
        .where(
            col(LineUser.line_user_id) > line_user_id,
            col(LineUser.is_friend),
            ~col(LineUser.is_blocked),
        )
        .order_by(col(LineUser.line_user_id))
        .limit(limit)
    )
    return [
        Viewer(line_user_id=user, customer_id=customer, rich_menu_id=menu) for user, customer, menu in rows
    ]


async def note_linked(session: AsyncSession, line_user_ids: Sequence[str], rich_menu_id: str | None) -> None:
    """LINE took it that these users see this menu; None: the default."""
    await session.execute(
        update(LineUser)
        .where(col(LineUser.line_user_id).in_(line_user_ids))
        .values(rich_menu_id=rich_menu_id)
        .execution_options(synchronize_session=False)
    )
