"""Which actions may a button, an area or a quick reply carry, and within which limits?"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal

from bot.line.limits.shapes import (
    Check,
    Problem,
    Shape,
    anything,
    found,
    integer,
    matching,
    one_of,
    tagged,
    text,
    uri,
)

URI_MOST = 10_000
"""Characters of a URI action since 2026-10-27 (1,000 before)."""
LINK_SCHEMES = ("http", "https", "line", "tel")

Place = Literal[
    "template", "image_carousel", "default_action", "quick_reply", "flex", "flex_button", "rich_menu"
]

_LABELS: dict[Place, tuple[int, bool]] = {
    "template": (20, True),
    "image_carousel": (12, False),
    "default_action": (20, False),
    "quick_reply": (20, True),
    "flex": (40, False),
    "flex_button": (40, True),
    "rich_menu": (20, False),
}
_FORMATS = {"date": "%Y-%m-%d", "time": "%H:%M", "datetime": "%Y-%m-%dT%H:%M"}
_FIRST, _LAST = date(1900, 1, 1), date(2100, 12, 31)


def action(place: Place) -> Check:
    """The check of an action at one place: labels and the kinds allowed differ by place."""
    return _CHECKS[place]


def validate_action(
    value: Mapping[str, Any], place: Place = "template", *, at: str = "action"
) -> list[Problem]:
    """What LINE would refuse in one action object at `place` (Messaging API reference, Action objects)."""
    return found(action(place)(value, at))


def _only_one_text(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if "displayText" in value and "text" in value:
        yield Problem(f"{at}.text", "Must not be given together with displayText")


def _fill_in_needs_keyboard(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if "fillInText" in value and value.get("inputOption") != "openKeyboard":
        yield Problem(f"{at}.fillInText", "Only with inputOption openKeyboard")


def _picker_times(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    mode = value.get("mode")
    form = _FORMATS.get(mode) if isinstance(mode, str) else None
    if form is None:
        return
    times: dict[str, datetime] = {}
    for name in ("initial", "min", "max"):
        if isinstance(given := value.get(name), str):
            moment = _picked(given.replace("t", "T"), form)
            if moment is None or (mode != "time" and not _FIRST <= moment.date() <= _LAST):
                yield Problem(f"{at}.{name}", f"Must be a {mode} between 1900-01-01 and 2100-12-31")
            else:
                times[name] = moment
    low, high = times.get("min"), times.get("max")
    if low and high and low >= high:
        yield Problem(f"{at}.min", "Must be before max")


def _picked(given: str, form: str) -> datetime | None:
    try:
        moment = datetime.strptime(given, form)  # noqa: DTZ007  the picker knows no time zone
    except ValueError:
        return None
    return moment if moment.strftime(form) == given else None


def _actions(place: Place) -> Check:
    most, is_required = _LABELS[place]
    label = {"label": text(most, least=1 if is_required else 0, graphemes=True)}
    required = label if is_required else {}
    optional = {} if is_required else label

    def shape(needs: Mapping[str, Check], may: Mapping[str, Check] | None = None, *rules: Any) -> Shape:
        return Shape(
            required={"type": anything, **required, **needs},
            optional={**optional, **(may or {})},
            rules=rules,
        )

    alt_uri = (
        {}
        if place == "quick_reply"
        else {"altUri": Shape(optional={"desktop": uri(URI_MOST, "http", "https")})}
    )
    kinds: dict[str, Check] = {
        "postback": shape(
            {"data": text(300)},
            {
                "displayText": text(300, graphemes=True),
                "text": text(300, graphemes=True),
                "inputOption": one_of("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"),
                "fillInText": text(300, graphemes=True),
            },
            _only_one_text,
            _fill_in_needs_keyboard,
        ),
        "message": shape({"text": text(300, graphemes=True)}),
        "uri": shape({"uri": uri(URI_MOST, *LINK_SCHEMES)}, alt_uri),
        "datetimepicker": shape(
            {"data": text(300), "mode": one_of(*_FORMATS)},
            {"initial": text(30), "min": text(30), "max": text(30)},
            _picker_times,
        ),
        "clipboard": shape({"clipboardText": text(1000)}),
    }
    if place == "quick_reply":
        kinds |= {"camera": shape({}), "cameraRoll": shape({}), "location": shape({})}
    if place == "rich_menu":
        alias = matching(r"[a-z0-9_-]{1,32}", "a rich menu alias of 1 to 32 of a-z, 0-9, _ and -")
        kinds["richmenuswitch"] = shape({"richMenuAliasId": alias, "data": text(300)})
    return tagged(kinds)


_CHECKS: dict[Place, Check] = {place: _actions(place) for place in _LABELS}

_area = Shape(required=dict.fromkeys(("x", "y", "width", "height"), integer(0, 2_147_483_647)))
_area_fields: dict[str, Check] = {"type": anything, "area": _area}
_area_label: dict[str, Check] = {"label": text(100, least=0)}

imagemap_area = _area
imagemap_action = tagged(
    {
        "uri": Shape(required={**_area_fields, "linkUri": uri(1000, *LINK_SCHEMES)}, optional=_area_label),
        "message": Shape(required={**_area_fields, "text": text(400)}, optional=_area_label),
        "clipboard": Shape(required={**_area_fields, "clipboardText": text(1000)}, optional=_area_label),
    }
)
"""Actions of an imagemap's areas: link at most 1,000 characters, text 400, label 100."""
