"""What must appear in Slack, and where did it appear? The intent is stored before anything is posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Index,
    and_,
    case,
    column,
    exists,
    func,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import UUID, Json, customer_key, datetime, document, moment
from db.desk.audit import NOBODY

LEASE = timedelta(seconds=60)
"""A row in `posting` is left to whoever set it so for this long; every request to Slack ends sooner."""

_OPEN = ("new", "claimed", "snoozed")
_lead = table("lead", column("customer_id"), column("lead_id"), column("state"), column("ts"))


class PostState(StrEnum):
    """`posting`: a request was or may have been started; its outcome is looked up by metadata."""

    QUEUED = "queued"
    POSTING = "posting"
    POSTED = "posted"
    DEAD = "dead"


class PostKind(StrEnum):
    """What a message of ours in Slack is."""

    CARD = "card"
    LINE = "line"
    FILE = "file"
    ALERT = "alert"
    DIGEST = "digest"


THREADED = (PostKind.LINE.value, PostKind.FILE.value)
"""What stands in a thread, one after the other."""


class Post(SQLModel, table=True):
    """One message of ours in Slack. `content` is what to show (kind-specific, ids only where possible).

    kind `card`: the lead's card, posted once and rewritten in place: `wanted` counts the changes asked for,
    `shown` the last one carried out; it is due while they differ. kind `line`: a line in the lead's thread.
    kind `file`: something the customer sent, in the thread too; `slack_file_id` in its content, once Slack
    has the bytes. kind `alert`: for the alerts channel. kind `digest`: a day's figures, as they stood then.
    In `posting` with a `ts`, the card is being rewritten.
    `number`: the order of lines in one thread. `not_before`: back-off; in `posting`, the lease's end.
    `first_attempt_at`: since when a message with this row's id may stand in Slack.
    """

    __tablename__ = "post"
    __table_args__ = (
        Index(
            "ix_post_due",
            "not_before",
            postgresql_where=text("state IN ('queued', 'posting') OR wanted > shown"),
        ),
        Index("ix_post_lead_waiting", "lead_id", postgresql_where=text("state IN ('queued', 'posting')")),
        Index("uq_post_dedupe", "customer_id", "dedupe_key", unique=True),
    )

    customer_id: UUID = customer_key()
    post_id: UUID = Field(primary_key=True)
    kind: str
    state: str
    dedupe_key: str
    lead_id: UUID | None = None
    number: int = 0
    content: Json = document(default_factory=dict)
    channel: str | None = None
    ts: str | None = None
    wanted: int = 1
    shown: int = 0
    attempts: int = 0
    first_attempt_at: datetime | None = moment(default=None)
    attempted_at: datetime | None = moment(default=None)
    not_before: datetime = moment()
    created_at: datetime = moment()
    because: str | None = None


# --- asking -------------------------------------------------------------------------------------------


async def ask_for_card(
    session: AsyncSession, *, customer_id: UUID, lead_id: UUID, ids: Ids, now: datetime
) -> None:
    """Have this lead's card posted; when one was asked for already, have it rewritten."""
    is_new = await ask_for_post(
        session, customer_id, PostKind.CARD, f"card:{lead_id}", {}, lead_id=lead_id, ids=ids, now=now
    )
    if not is_new:
        await _touch(session, customer_id, lead_id)


async def touch_card(session: AsyncSession, customer_id: UUID, *, now: datetime) -> None:
    """Have the card of the customer's newest lead rewritten, because something it shows has changed.

    The newest, not only an open one: a message sent from a card may be accepted after the lead was closed.
    """
    card = aliased(Post)
    newest = (
        select(col(card.lead_id))
        .where(col(card.customer_id) == customer_id, col(card.kind) == PostKind.CARD)
        .order_by(col(card.created_at).desc(), col(card.post_id).desc())
        .limit(1)
        .scalar_subquery()
    )
    await _touch(session, customer_id, newest)


async def touch_lead(session: AsyncSession, *, customer_id: UUID, lead_id: UUID) -> None:
    """Have the card of this very lead rewritten."""
    await _touch(session, customer_id, lead_id)


async def _touch(session: AsyncSession, customer_id: UUID, lead_id: object) -> None:
    # A card that Slack refused is tried again on a change: what stood in its way may have been repaired.
    await session.execute(
        update(Post)
        .where(
            col(Post.customer_id) == customer_id,
            col(Post.kind) == PostKind.CARD,
            col(Post.lead_id) == lead_id,
        )
        .values(wanted=col(Post.wanted) + 1, state=revived())
        .execution_options(synchronize_session=False)
    )


def revived() -> ColumnElement[str]:
    """The state of a row that is tried again: what Slack refused comes back, everything else stays."""
    return case(
        (col(Post.state) != PostState.DEAD, col(Post.state)),
        (col(Post.ts).is_not(None), PostState.POSTED.value),
        else_=PostState.QUEUED.value,
    )


async def add_thread_line(
    session: AsyncSession, *, customer_id: UUID, key: str, content: Json, ids: Ids, now: datetime
) -> None:
    """Have a line added to the open lead's thread, in the order asked; nothing without an open lead.

    Args:
        key: says which line this is; a second line with the same key is not added.
        content: one of `{"line_message_id": …}` (what the customer said), `{"message_id": …}` (what we
            wrote) or `{"ja": …, "en": …}` (a sentence of ours; write people as `<@U…>`, never customers'
            names or texts). Texts are read when the line is posted.
    """
    lead_id = await session.scalar(
        select(_lead.c.lead_id).where(_lead.c.customer_id == customer_id, _lead.c.state.in_(_OPEN))
    )
    if lead_id is not None:
        await add_lead_line(
            session, customer_id=customer_id, lead_id=lead_id, key=key, content=content, ids=ids, now=now
        )


async def add_thread_file(
    session: AsyncSession, *, customer_id: UUID, line_message_id: str, ids: Ids, now: datetime
) -> None:
    """Have what the customer sent (`db.talk.media` has it by now) shown in the open lead's thread, once."""
    lead_id = await session.scalar(
        select(_lead.c.lead_id).where(_lead.c.customer_id == customer_id, _lead.c.state.in_(_OPEN))
    )
    if lead_id is not None:
        await ask_for_post(
            session,
            customer_id,
            PostKind.FILE,
            f"file:{lead_id}:said:{line_message_id}",
            {"line_message_id": line_message_id},
            lead_id=lead_id,
            ids=ids,
            now=now,
        )


async def add_lead_line(
    session: AsyncSession,
    *,
    customer_id: UUID,
    lead_id: UUID,
    key: str,
    content: Json,
    ids: Ids,
    now: datetime,
) -> None:
    """Have a line added to this lead's thread, open or not."""
    await ask_for_post(
        session,
        customer_id,
        PostKind.LINE,
        f"line:{lead_id}:{key}",
        content,
        lead_id=lead_id,
        ids=ids,
        now=now,
    )


async def rewrite_thread_line(session: AsyncSession, *, customer_id: UUID, key: str) -> None:
    """Have the customer's thread lines with this key written anew: what they show was taken back."""
    await session.execute(
        update(Post)
        .where(
            col(Post.customer_id) == customer_id,
            col(Post.kind).in_(THREADED),
            col(Post.dedupe_key).endswith(f":{key}", autoescape=True),
            col(Post.ts).is_not(None),
        )
        .values(wanted=col(Post.wanted) + 1, state=revived())
        .execution_options(synchronize_session=False)
    )


async def add_alert(session: AsyncSession, *, key: str, ja: str, en: str, ids: Ids, now: datetime) -> None:
    """Have something said in the alerts channel; once per `key`. No names or texts of customers."""
    content = {"ja": ja, "en": en}
    await ask_for_post(
        session, NOBODY, PostKind.ALERT, f"alert:{key}", content, lead_id=None, ids=ids, now=now
    )


async def ask_for_post(
    session: AsyncSession,
    customer_id: UUID,
    kind: PostKind,
    dedupe_key: str,
    content: Json,
    *,
    lead_id: UUID | None,
    ids: Ids,
    now: datetime,
) -> bool:
    """Store the intent to post something; False: it was stored before."""
    before = aliased(Post)
    lines = select(func.coalesce(func.max(col(before.number)), 0) + 1).where(
        col(before.customer_id) == customer_id, col(before.lead_id) == lead_id, col(before.kind).in_(THREADED)
    )
    values = {
        "customer_id": customer_id,
        "post_id": ids.uuid(),
        "kind": kind.value,
        "state": PostState.QUEUED.value,
        "dedupe_key": dedupe_key,
        "lead_id": lead_id,
        "number": lines.scalar_subquery() if kind in THREADED else 0,
        "content": content,
        "wanted": 1,
        "shown": 0,
        "attempts": 0,
        "not_before": now,
        "created_at": now,
    }
    asked = await session.scalar(
        insert(Post)
        .values(values)
        .on_conflict_do_nothing(index_elements=["customer_id", "dedupe_key"])
        .returning(col(Post.post_id))
    )
    return asked is not None


# --- carrying out -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePost:
    """A row taken to be carried out. `is_unknown`: it may stand in Slack already, look before posting."""

    post: Post
    thread_ts: str | None
    is_unknown: bool


async def take_due(
    session: AsyncSession, *, kinds: Sequence[PostKind], now: datetime, limit: int = 20
) -> list[DuePost]:
    """Take what is due and mark it `posting` with a lease; nobody else gets these rows meanwhile.

    A thread's lines come one at a time, the oldest first, once the card stands.

    Args:
        kinds: what there is a channel for.
    """
    query = (
        select(Post)
        .where(
            or_(col(Post.state).in_(_WAITING), col(Post.wanted) > col(Post.shown)),
            col(Post.state) != PostState.DEAD,
            col(Post.not_before) <= now,
            col(Post.kind).in_(kinds),
            or_(col(Post.kind).not_in(THREADED), and_(_card_stands(), ~_earlier_line_waits())),
        )
        .order_by(col(Post.not_before), col(Post.number), col(Post.post_id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=Post)
        .execution_options(populate_existing=True)
    )
    posts = (await session.scalars(query)).all()
    due = [
        DuePost(
            post=post,
            thread_ts=await _thread_of(session, post),
            is_unknown=post.state == PostState.POSTING and post.ts is None,
        )
        for post in posts
    ]
    await session.execute(
        update(Post)
        .where(col(Post.post_id).in_([post.post_id for post in posts]))
        .values(
            state=PostState.POSTING.value,
            attempts=col(Post.attempts) + 1,
            attempted_at=now,
            first_attempt_at=func.coalesce(col(Post.first_attempt_at), now),
            not_before=now + LEASE,
        )
        .execution_options(synchronize_session=False)
    )
    for post in posts:
        await session.refresh(post)
    return due


_WAITING = (PostState.QUEUED.value, PostState.POSTING.value)


def _card_stands() -> ColumnElement[bool]:
    return exists(select(1).where(_lead.c.lead_id == col(Post.lead_id), _lead.c.ts.is_not(None)))


def _earlier_line_waits() -> ColumnElement[bool]:
    earlier = aliased(Post)
    return exists(
        select(1).where(
            col(earlier.lead_id) == col(Post.lead_id),
            col(earlier.kind).in_(THREADED),
            col(earlier.state).in_(_WAITING),
            or_(
                col(earlier.number) < col(Post.number),
                and_(col(earlier.number) == col(Post.number), col(earlier.post_id) < col(Post.post_id)),
            ),
        )
    )


async def _thread_of(session: AsyncSession, post: Post) -> str | None:
    if post.kind not in THREADED:
        return None
    thread_ts: str | None = await session.scalar(select(_lead.c.ts).where(_lead.c.lead_id == post.lead_id))
    return thread_ts


async def next_due(session: AsyncSession) -> datetime | None:
    """The next moment at which something is to be carried out; None: nothing waits."""
    moment_due: datetime | None = await session.scalar(
        select(func.min(col(Post.not_before))).where(
            or_(col(Post.state).in_(_WAITING), col(Post.wanted) > col(Post.shown)),
            col(Post.state) != PostState.DEAD,
            or_(col(Post.kind).not_in(THREADED), and_(_card_stands(), ~_earlier_line_waits())),
        )
    )
    return moment_due
