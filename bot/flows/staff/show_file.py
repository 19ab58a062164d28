"""Show: what a customer sent stands in the lead's thread, once, and goes when they take it back."""

from __future__ import annotations

from functools import partial

from bot.deps import Deps
from bot.ports import Posted, Slack
from db.desk import post_outcomes
from db.desk.posts import Post
from db.talk.media import MediaState, media_of

_ENDINGS = {"image": "jpg", "video": "mp4", "audio": "m4a"}


async def show_file(
    deps: Deps, slack: Slack, row: Post, *, channel: str, thread_ts: str | None
) -> Posted | None:
    """Upload and show it, or take it away again; None: there is nothing to show.

    Uploading shows nothing, and its id is stored before anything is shown: after a kill anywhere Slack is
    asked whether that file stands in the channel.

    Raises:
        Unavailable, Refused: as Slack's side does.
    """
    async with deps.db.begin() as session:
        media = await media_of(session, row.customer_id, str(row.content.get("line_message_id")))
    known = row.content.get("slack_file_id")
    if media is None or media.state != MediaState.STORED or not media.content:
        if known:  # also where a kill came between uploading and showing
            await slack.remove_file(slack_file_id=str(known))
        return Posted(channel=channel, ts=row.ts) if known and row.ts is not None else None
    if known is not None:
        shown = await slack.shared(slack_file_id=str(known), channel=channel)
        if shown is not None:
            return shown
    else:
        name = f"{media.kind}-{media.line_message_id}.{_ENDINGS.get(media.kind, 'bin')}"
        known = await slack.upload(name=name, content=media.content)
        await deps.db.run(partial(post_outcomes.uploaded, post=row, slack_file_id=known))
    title = name_of_kind(media.kind)
    await slack.share(slack_file_id=str(known), channel=channel, thread_ts=thread_ts, title=title)
    shown = await slack.shared(slack_file_id=str(known), channel=channel)
    return shown or Posted(channel=channel, ts=str(known))


def name_of_kind(kind: str) -> str:
    """What staff see as its title."""
    words = {
        "image": "画像 / picture",
        "video": "動画 / video",
        "audio": "音声 / voice",
        "file": "ファイル / file",
    }
    return words.get(kind, kind)
