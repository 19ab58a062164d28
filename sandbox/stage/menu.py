"""Which rich menu does the sample company show below the chat?"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import aiohttp

from sandbox.world import CHANNEL_TOKEN, World

WIDTH, HEIGHT = 1600, 540
_COLOURS = ((238, 245, 241), (226, 238, 232), (238, 245, 241), (226, 238, 232))
_ACTIONS: tuple[dict[str, Any], ...] = (
    {"type": "uri", "label": "そら会計を開く", "uri": "https://app.example.com/"},
    {"type": "message", "label": "担当者に相談", "text": "担当者に相談したいです"},
    {"type": "message", "label": "配信設定", "text": "配信設定"},
    {"type": "message", "label": "お知らせを停止", "text": "停止"},
)


async def put_menu(world: World) -> None:
    """Create the menu, upload its picture, and show it to everybody."""
    base, slot = f"{world.line_address}/v2/bot", WIDTH // len(_ACTIONS)
    body = {
        "size": {"width": WIDTH, "height": HEIGHT},
        "selected": True,
        "name": "sora",
        "chatBarText": "メニュー",
        "areas": [
            {"bounds": {"x": slot * place, "y": 0, "width": slot, "height": HEIGHT}, "action": action}
            for place, action in enumerate(_ACTIONS)
        ],
    }
    allowed = {"Authorization": f"Bearer {CHANNEL_TOKEN}"}
    async with aiohttp.ClientSession(trust_env=False, headers=allowed, raise_for_status=True) as session:
        async with session.post(f"{base}/richmenu", json=body) as answer:
            menu = (await answer.json())["richMenuId"]
        kind = {"Content-Type": "image/png"}
        async with session.post(f"{base}/richmenu/{menu}/content", data=striped(), headers=kind):
            pass
        async with session.post(f"{base}/user/all/richmenu/{menu}"):
            pass


def striped() -> bytes:
    """A PNG with one field a choice: the words are drawn by the phone's own hand, that is by the page."""
    slot = WIDTH // len(_COLOURS)
    row = b"\0" + b"".join(bytes(colour) * slot for colour in _COLOURS)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * HEIGHT)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
