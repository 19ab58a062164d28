"""How do files get into Slack's threads, once each, and out of them?"""

from __future__ import annotations

from typing import Any

import aiohttp

from bot.errors import Unavailable
from bot.ports import Posted, SlackFile
from bot.slack.calls import Calls, SlackRefused

TRANSFER_SECONDS = 20
"""Of one file's bytes; within the margin of a post's lease."""
_CHUNK = 64 * 1024


class Files(Calls):
    """The part of the port `bot.ports.Slack` that is about files (files.getUploadURLExternal and its kin)."""

    async def upload(self, *, name: str, content: bytes) -> str:
        """Bring a file to Slack, shown to nobody yet; returns its id.

        Raises:
            Unavailable: Slack, or the address it gave for the bytes, did not answer.
            Refused: Slack does not take it.
        """
        answer = await self._answer(
            self._once.files_getUploadURLExternal(filename=name[:200] or "file", length=len(content)),
            "files.getUploadURLExternal",
        )
        timeout = aiohttp.ClientTimeout(total=TRANSFER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(str(answer["upload_url"]), data=content) as taken,
            ):
                if taken.status != 200:
                    raise Unavailable(f"upload: {taken.status}", retry_after=30.0)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"upload: {type(error).__name__}", retry_after=10.0) from None
        return str(answer["file_id"])

    async def share(self, *, slack_file_id: str, channel: str, thread_ts: str | None, title: str) -> None:
        """Show an uploaded file in a thread.

        Raises:
            Unavailable: nobody knows whether it is shown (`shared` tells), unless `retry_after` is given.
            Refused: Slack does not take it.
        """
        asked: dict[str, Any] = {
            "files": [{"id": slack_file_id, "title": title[:200] or "file"}],
            "channel_id": channel,
        }
        if thread_ts is not None:
            asked["thread_ts"] = thread_ts
        method = "files.completeUploadExternal"
        await self._answer(self._once.files_completeUploadExternal(**asked), method)

    async def shared(self, *, slack_file_id: str, channel: str) -> Posted | None:
        """Where the file stands in this channel, if it does."""
        try:
            answer = await self._answer(self._reading.files_info(file=slack_file_id), "files.info")
        except SlackRefused as refused:
            if refused.code != "file_not_found":
                raise
            return None
        for places in (answer["file"].get("shares") or {}).values():
            for share in places.get(channel) or ():
                return Posted(channel=channel, ts=str(share["ts"]))
        return None

    async def remove_file(self, *, slack_file_id: str) -> None:
        """Delete a file of ours; one that is gone already is as good."""
        try:
            await self._answer(self._once.files_delete(file=slack_file_id), "files.delete")
        except SlackRefused as refused:
            if refused.code not in {"file_not_found", "file_deleted"}:
                raise

    async def file(self, slack_file_id: str, *, at_most: int) -> SlackFile:
        """A file people uploaded, with its content up to so many bytes.

        Raises:
            Unavailable: Slack did not answer.
            Refused: Slack does not show it to us.
        """
        answer = await self._answer(self._reading.files_info(file=slack_file_id), "files.info")
        about = answer["file"]
        size = int(about.get("size") or 0)
        address = str(about.get("url_private_download") or about.get("url_private") or "")
        content = await self._fetch(address, at_most) if address and size <= at_most else None
        return SlackFile(
            slack_file_id=slack_file_id,
            name=str(about.get("name") or "file"),
            content_type=str(about.get("mimetype") or "application/octet-stream"),
            size=size,
            uploaded_by=str(about.get("user") or ""),
            content=content,
        )

    async def _fetch(self, address: str, at_most: int) -> bytes | None:
        headers = {"Authorization": f"Bearer {self._token}"}
        timeout = aiohttp.ClientTimeout(total=TRANSFER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(address, allow_redirects=False) as answer,
            ):
                return await _read(answer, at_most)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"download: {type(error).__name__}") from None


async def _read(answer: aiohttp.ClientResponse, at_most: int) -> bytes | None:
    """The bytes; None where there is something else, or more. Without files:read it is a page to log in."""
    if answer.status != 200 or answer.headers.get("Content-Type", "").startswith("text/html"):
        return None
    content = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        content += chunk
        if len(content) > at_most:
            return None
    return bytes(content)
