"""Offer: a file that staff put into a lead's thread can be sent to the customer, by one who says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import actor_of
from bot.line.pictures import ORIGINAL_MOST, preview_of, type_of
from bot.ports import SlackFile
from bot.slack.mrkdwn import clean, one_line
from db.desk import audit, posts
from db.desk.leads import Lead, lead_by_id, lead_in_thread
from db.people.customers import lock_customers
from db.talk.files import OfferedFile, keep_file

log = structlog.get_logger()

DOCUMENTS = {"application/pdf": b"%PDF-"}
"""What goes out as a link: LINE has no message for files. The bytes have to begin like this."""
_TOO_MUCH = {
    "ja": "📎 このファイルはお客様へ送れません。JPEG・PNGの画像かPDF、10MBまでです。",
    "en": "📎 This file cannot go to the customer: pictures (JPEG, PNG) and PDF only, up to 10 MB.",
}


async def offer_file(deps: Deps, event: Mapping[str, Any]) -> int:
    """Fetch the files of a message in a lead's thread and put a button under each; how many.

    Nothing is sent: the button asks first, and only those who may answer can press it. Files of others than
    our staff, outside a lead's thread, or in the thread of a closed lead are none of our business.

    Raises:
        Unavailable: Slack did not answer; to be done again.
    """
    assert deps.slack is not None
    channel, thread_ts, who = (str(event.get(key) or "") for key in ("channel", "thread_ts", "user"))
    async with deps.db.begin() as session:
        lead = await lead_in_thread(session, channel=channel, ts=thread_ts) if thread_ts else None
    if lead is None or not lead.is_open:
        return 0
    offered = 0
    for slack_file_id in event.get("files") or ():
        try:
            await actor_of(deps, who)
            file = await deps.slack.file(str(slack_file_id), at_most=ORIGINAL_MOST)
        except Refused as refused:
            log.info("file.not_offered", because=str(refused), lead_id=str(lead.lead_id))
            continue
        prepared = await asyncio.to_thread(_prepared, file)
        offered += await deps.db.run(
            partial(_offer, deps=deps, known=lead, file=file, prepared=prepared, who=who)
        )
    if offered:
        await deps.waker.wake("post")
    return offered


def _prepared(file: SlackFile) -> tuple[str, bytes | None] | None:
    """The type by the bytes, and a picture's preview; None: not to be sent."""
    if not file.content:
        return None
    if (kind := type_of(file.content)) is not None:
        preview = preview_of(file.content)
        return (kind, preview) if preview is not None else None
    begins = DOCUMENTS.get(file.content_type)
    return (file.content_type, None) if begins and file.content.startswith(begins) else None


async def _offer(
    session: AsyncSession,
    *,
    deps: Deps,
    known: Lead,
    file: SlackFile,
    prepared: tuple[str, bytes | None] | None,
    who: str,
) -> bool:
    now = deps.clock.now()
    await lock_customers(session, [known.customer_id])
    lead = await lead_by_id(session, known.lead_id)
    if lead is None or not lead.is_open:
        return False
    content: dict[str, Any] = dict(_TOO_MUCH)
    if prepared is not None and file.content:
        kept = await keep_file(
            session,
            OfferedFile(
                customer_id=lead.customer_id,
                file_id=deps.ids.uuid(),
                lead_id=lead.lead_id,
                slack_file_id=file.slack_file_id,
                name=one_line(clean(file.name))[:120] or "file",
                content_type=prepared[0],
                content=file.content,
                preview=prepared[1],
                offered_by=who,
                created_at=now,
            ),
        )
        content = {"file_id": str(kept.file_id)}
        await audit.record(
            session,
            actor=who,
            action="file.offered",
            customer_id=lead.customer_id,
            lead_id=lead.lead_id,
            file_id=kept.file_id,
            ids=deps.ids,
            now=now,
        )
    await posts.add_lead_line(
        session,
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        key=f"file:{file.slack_file_id}",
        content=content,
        ids=deps.ids,
        now=now,
    )
    return True
