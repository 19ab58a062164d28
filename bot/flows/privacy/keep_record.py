"""What did a customer agree to and wish for, and what is kept about them? Shown, exported, erased."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.deps import Deps
from bot.errors import Refused
from db.columns import UUID, Json
from db.desk import audit
from db.people.consents import STOP_UNDONE, ConsentEntry, current
from db.people.customers import Customer
from db.people.preferences import wishes_of
from db.people.privacy import customer_named, erase, rows_of_customer
from db.rulebook.rules import current_rulebook
from prompts.texts import system_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """The proof: `entries` and `wishes` oldest first, as written then; `standing`: what counts now."""

    customer_id: UUID
    standing: dict[str, bool]
    entries: list[Json]
    wishes: list[Json]

    def as_json(self) -> Json:
        """The whole, for JSON."""
        return {
            "customer_id": str(self.customer_id),
            "standing": self.standing,
            "entries": self.entries,
            "wishes": self.wishes,
        }


async def consent_record(deps: Deps, name: str) -> ConsentRecord:
    """Every yes and no of a customer, when, where, in answer to which wording.

    Args:
        name: the product's id, a LINE user id or a customer_id.

    Raises:
        Refused: nobody is called so.
    """
    async with deps.db.begin() as session:
        customer = await _found(session, name)
        entries = await session.scalars(
            select(ConsentEntry)
            .where(col(ConsentEntry.customer_id) == customer.customer_id)
            .order_by(col(ConsentEntry.at), col(ConsentEntry.purpose), col(ConsentEntry.is_granted).desc())
        )
        standing = (await current(session, [customer.customer_id])).get(customer.customer_id, {})
        wishes = await wishes_of(session, customer.customer_id)
        return ConsentRecord(
            customer_id=customer.customer_id,
            standing={purpose: entry.is_granted for purpose, entry in sorted(standing.items())},
            entries=[
                {
                    "at": entry.at.isoformat(),
                    "purpose": entry.purpose,
                    "answer": _answer(entry),
                    "source": entry.source,
                    "wording": entry.wording,
                    "words": _words_of(entry.wording),
                    "line_user_id": entry.line_user_id,
                    "recorded_at": entry.recorded_at.isoformat(),
                }
                for entry in entries
            ],
            wishes=[
                {
                    "at": each.at.isoformat(),
                    "about": each.aspect,
                    "wished": each.wished,
                    "source": each.source,
                }
                for each in wishes
            ],
        )


def _answer(entry: ConsentEntry) -> str:
    if entry.source == STOP_UNDONE:
        return "stop taken back"
    return "yes" if entry.is_granted else "no"


def _words_of(wording: str | None) -> str | None:
    """The words that this hash stands for, where they are still those of today."""
    for name in ("consent", "consent_purpose"):
        text = system_text(name)
        for language in ("ja", "en"):
            if text.wording_of(language) == wording:
                return text.text.in_language(language)
    return None


async def export_customer(deps: Deps, name: str) -> dict[str, list[Json]]:
    """Everything kept about a customer, by table.

    Raises:
        Refused: nobody is called so.
    """
    async with deps.db.begin() as session:
        customer = await _found(session, name)
        return await rows_of_customer(session, customer.customer_id)


async def erase_customer(deps: Deps, name: str, *, by: str) -> UUID:
    """Erase what is kept about a customer, and have our cards and threads in Slack rewritten without it.

    Raises:
        Refused: nobody is called so.
    """

    async def write(session: AsyncSession) -> UUID:
        now = deps.clock.now()
        customer = await _found(session, name)
        policy = (await current_rulebook(session)).policy
        if await erase(session, customer.customer_id, purposes=[policy.default_purpose], now=now):
            await audit.record(
                session,
                actor=by,
                action="customer.erased",
                ids=deps.ids,
                now=now,
                customer_id=customer.customer_id,
            )
        return customer.customer_id

    customer_id = await deps.db.run(write)
    await deps.waker.wake("post")
    return customer_id


async def _found(session: AsyncSession, name: str) -> Customer:
    customer = await customer_named(session, name)
    if customer is None:
        raise Refused(
            f"「{name}」というお客様は見つかりません。プロダクトの ID か LINE の ID を指定してください。",
            f"There is no customer {name}. Give the product's id or a LINE user id.",
        )
    return customer
