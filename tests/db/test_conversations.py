"""Does the conversation know what was said, whose turn it is, and when it is over?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.engine import Database
from db.talk.conversations import (
    QUIET_FOR,
    Heard,
    InboundLine,
    close,
    close_quiet,
    current,
    hear,
    lines_of,
    own,
    spoke,
    unsend,
)

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
TANAKA = UUID(int=1)


def line(number: int, text: str = "こんにちは") -> InboundLine:
    at = NOW + timedelta(minutes=number)
    return InboundLine(customer_id=TANAKA, line_message_id=str(number), kind="text", text=text, at=at)


async def test_each_line_moves_the_revision_and_only_the_first_opens(db: Database) -> None:
    async with db.begin() as session:
        assert await hear(session, line(1), now=NOW) == Heard(revision=1, is_opening=True, owner=None)
        assert await hear(session, line(2), now=NOW) == Heard(revision=2, is_opening=False, owner=None)
        assert await hear(session, line(2), now=NOW) is None
        await spoke(session, [TANAKA], now=NOW, opens=True)
        talk = await current(session, TANAKA)
        assert talk is not None
        assert (talk.revision, talk.is_open, talk.is_unanswered) == (3, True, False)
        assert talk.last_inbound_at == NOW + timedelta(minutes=2)
        assert [each.line_message_id for each in await lines_of(session, TANAKA)] == ["2", "1"]


async def test_an_answer_in_one_tap_neither_opens_nor_waits(db: Database) -> None:
    async with db.begin() as session:
        heard = await hear(session, line(1), now=NOW, opens=False)
        assert heard == Heard(revision=1, is_opening=False, owner=None)
        await hear(session, line(2), now=NOW)
        await hear(session, line(3), now=NOW, opens=False)
        talk = await current(session, TANAKA)
        assert talk is not None
        assert (talk.is_open, talk.is_unanswered) == (True, True)


async def test_a_message_of_a_rule_does_not_answer_a_question(db: Database) -> None:
    async with db.begin() as session:
        await hear(session, line(1), now=NOW)
        await spoke(session, [TANAKA, UUID(int=2)], now=NOW)
        talk, other = await current(session, TANAKA), await current(session, UUID(int=2))
        assert talk is not None
        assert other is not None
        assert (talk.revision, talk.is_unanswered, other.is_open) == (2, True, False)


async def test_whoever_holds_it_is_told_with_the_next_line(db: Database) -> None:
    async with db.begin() as session:
        await own(session, TANAKA, owner="U1", now=NOW)
        heard = await hear(session, line(1), now=NOW)
        assert heard is not None
        assert heard.owner == "U1"
        await close(session, TANAKA, now=NOW)
        talk = await current(session, TANAKA)
        assert talk is not None
        assert (talk.is_open, talk.owner, talk.is_unanswered) == (False, None, False)


async def test_only_answered_and_unheld_conversations_end_by_themselves(db: Database) -> None:
    async with db.begin() as session:
        await hear(session, line(1), now=NOW)
        assert await close_quiet(session, now=NOW + QUIET_FOR) == [], "unanswered"
        await spoke(session, [TANAKA], now=NOW, opens=True)
        assert await close_quiet(session, now=NOW + QUIET_FOR - timedelta(seconds=1)) == []
        await own(session, TANAKA, owner="U1", now=NOW)
        assert await close_quiet(session, now=NOW + QUIET_FOR) == [], "held"
        await own(session, TANAKA, owner=None, now=NOW)
        assert await close_quiet(session, now=NOW + QUIET_FOR) == [TANAKA]


async def test_what_is_unsent_leaves_a_tombstone_before_or_after(db: Database) -> None:
    async with db.begin() as session:
        await hear(session, line(1, "秘密"), now=NOW)
        assert await unsend(session, TANAKA, "1", at=NOW)
        assert not await unsend(session, TANAKA, "2", at=NOW)
        assert await hear(session, line(2, "秘密"), now=NOW) is None
        assert [each.text for each in await lines_of(session, TANAKA)] == [None, None]
