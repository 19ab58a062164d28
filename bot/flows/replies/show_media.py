"""What does an address that was sent to a customer show?"""

from __future__ import annotations

from dataclasses import dataclass

from bot.deps import Deps
from bot.line.pictures import TYPES
from db.talk.files import file_behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The bytes and what they are. `is_picture`: to be shown, not saved."""

    content: bytes
    content_type: str
    is_picture: bool


async def show_media(deps: Deps, token: str) -> Shown | None:
    """The file behind a token; None: there is none, or its time is over."""
    if not (token.isascii() and 16 <= len(token) <= 64):
        return None
    async with deps.db.begin() as session:
        found = await file_behind(session, token, now=deps.clock.now())
    if found is None:
        return None
    file, is_preview = found
    content = file.preview if is_preview and file.preview is not None else file.content
    kind = file.content_type if content is file.content or content == file.content else "image/jpeg"
    return Shown(content=content, content_type=kind, is_picture=kind in TYPES.values())
