"""Would Slack accept this modal or Home tab?

Source: docs.slack.dev, views; lengths are in characters, the size of a view in bytes of JSON.
"""

import json
from collections.abc import Mapping

from bot.slack.limits.composition import plain_text
from bot.slack.limits.messages import validate_blocks
from bot.slack.limits.walk import (
    Check,
    Problem,
    Surface,
    Walk,
    anything,
    boolean,
    found,
    listed,
    string,
    tagged,
    typed,
)

VIEW_BYTES = 250_000
"""Slack says 250 KB; the smaller reading of it."""

_COMMON: dict[str, Check] = {
    "private_metadata": string(least=0, most=3000),
    "callback_id": string(least=0, most=255),
    "external_id": string(least=0, most=255),
}
_TITLE = plain_text(24)
_VIEW = tagged(
    {
        "modal": typed(
            "modal",
            {"title": _TITLE, "blocks": anything},
            {
                **_COMMON,
                "close": _TITLE,
                "submit": _TITLE,
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            },
        ),
        "home": typed("home", {"blocks": anything}, _COMMON),
    }
)


def validate_view(view: object) -> list[Problem]:
    """Problems of a view as views.open, push, update and publish take it; pointers begin with `/view`."""
    walk = Walk("modal")
    _VIEW(walk, "/view", view)
    if not isinstance(view, Mapping):
        return _as_arguments(walk.problems)
    surface: Surface = "home" if view.get("type") == "home" else "modal"
    if "blocks" in view:
        walk.problems += validate_blocks(view["blocks"], surface, pointer="/view/blocks")
    kinds = [each.get("type") for each in listed(view.get("blocks")) if isinstance(each, Mapping)]
    if surface == "modal" and "input" in kinds and "submit" not in view:
        walk.wrong("/view", "missing required field: submit (there are input blocks)")
    _focus(walk, view)
    _size(walk, view)
    return _as_arguments(walk.problems)


def _focus(walk: Walk, view: Mapping[str, object]) -> None:
    focused = [
        pointer
        for pointer, value in found(view.get("blocks"), "focus_on_load", "/view/blocks")
        if value is True
    ]
    for pointer in focused[1:]:
        walk.wrong(pointer, "only one element of a view may have focus_on_load")


def _size(walk: Walk, view: Mapping[str, object]) -> None:
    try:
        size = len(json.dumps(view, ensure_ascii=False).encode())
    except (TypeError, ValueError):
        walk.wrong("/view", "must be JSON")
        return
    if size > VIEW_BYTES:
        walk.wrong("/view", f"must be less than {VIEW_BYTES + 1} bytes", "view_too_large")


def _as_arguments(problems: list[Problem]) -> list[Problem]:
    """views.* answer `invalid_arguments` where messages answer `invalid_blocks`."""
    return [
        Problem(each.pointer, each.message, "invalid_arguments") if each.error == "invalid_blocks" else each
        for each in problems
    ]
