"""Which rich menu object shows a menu, and how is it told whether LINE has it already?"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from bot.line.bubbles import menu_data
from followups.rules.yaml.menus import PERSON, SETTINGS, STOP, Area, Menu
from followups.words.text import OPT_OUT

Json = dict[str, Any]

PREFIX = "yorisoi/"
"""Begins the name of every menu of ours at LINE, which people never see: others' menus are left alone."""
SETTINGS_WORDS = "配信設定"


def menu_object(menu: Menu, picture: bytes) -> Json:
    """The rich menu object (Rich menu object); its name holds a hash of all that LINE would show."""
    shown: Json = {
        "size": {"width": menu.width, "height": menu.height},
        "selected": menu.is_open,
        "chatBarText": menu.chat_bar,
        "areas": [{"bounds": _bounds(area), "action": _action(area)} for area in menu.areas],
    }
    content = json.dumps(shown, sort_keys=True, ensure_ascii=False).encode() + b"\0" + picture
    digest = blake2b(content, digest_size=8).hexdigest()
    return {**shown, "name": f"{PREFIX}{menu.name}/{digest}"}


def is_ours(name: object) -> bool:
    """Was this menu at LINE made by us?"""
    return isinstance(name, str) and name.startswith(PREFIX)


def _bounds(area: Area) -> Json:
    x, y, width, height = area.bounds
    return {"x": x, "y": y, "width": width, "height": height}


def _action(area: Area) -> Json:
    if area.opens is not None:
        return {"type": "uri", "label": area.label, "uri": area.opens}
    if area.says is not None:
        return {"type": "message", "label": area.label, "text": area.says}
    if area.does == SETTINGS:
        return {"type": "message", "label": area.label, "text": SETTINGS_WORDS}
    sends = (
        OPT_OUT if area.does == STOP else menu_data("person" if area.does == PERSON else area.script or "")
    )
    return {"type": "postback", "label": area.label, "data": sends, "displayText": area.label}
