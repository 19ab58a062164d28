"""What became of a post that was taken to be carried out?"""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import datetime
from db.desk.posts import Post, PostState, revived


async def stands(session: AsyncSession, post: Post, *, channel: str, ts: str, is_found: bool = False) -> None:
    """The message stands in Slack and shows what was wanted when the row was taken.

    `is_found`: posted by an earlier attempt, so it may show an earlier state and is rewritten.
    """
    await _settle(
        session,
        post,
        state=PostState.POSTED,
        channel=channel,
        ts=ts,
        shown=post.wanted - (1 if is_found else 0),
        not_before=post.attempted_at,
        attempts=0,
    )


async def put_off(
    session: AsyncSession, post: Post, *, until: datetime, because: str, is_unknown: bool
) -> None:
    """Not done: again at `until`. `is_unknown`: it may have been posted all the same."""
    unposted = PostState.POSTING if is_unknown else PostState.QUEUED
    state = unposted if post.ts is None else PostState.POSTED
    await _settle(session, post, state=state, not_before=until, because=because)


async def uploaded(session: AsyncSession, post: Post, *, slack_file_id: str) -> None:
    """Slack has the bytes under this id; to be committed before anybody sees them."""
    await session.execute(
        update(Post)
        .where(col(Post.customer_id) == post.customer_id, col(Post.post_id) == post.post_id)
        .values(content={**post.content, "slack_file_id": slack_file_id})
        .execution_options(synchronize_session=False)
    )
    post.content = {**post.content, "slack_file_id": slack_file_id}


async def give_up(session: AsyncSession, post: Post, *, because: str) -> None:
    """Slack will never take it as things are; `revive` and changes of a card try again."""
    await _settle(session, post, state=PostState.DEAD, shown=col(Post.wanted), because=because)


async def _settle(session: AsyncSession, post: Post, *, state: PostState, **values: object) -> None:
    # The attempt is the lease: who took the row after us settles it, and finds what we posted.
    await session.execute(
        update(Post)
        .where(
            col(Post.customer_id) == post.customer_id,
            col(Post.post_id) == post.post_id,
            col(Post.attempts) == post.attempts,
            col(Post.attempted_at) == post.attempted_at,
            col(Post.state) == PostState.POSTING,
        )
        .values({"state": state.value, "because": None, **values})
        .execution_options(synchronize_session=False)
    )


async def revive(session: AsyncSession, *, now: datetime) -> int:
    """Try everything again that Slack refused; how many."""
    again = await session.scalars(
        update(Post)
        .where(col(Post.state) == PostState.DEAD)
        .values(state=revived(), wanted=col(Post.wanted) + 1, not_before=now)
        .returning(col(Post.post_id))
        .execution_options(synchronize_session=False)
    )
    return len(again.all())
