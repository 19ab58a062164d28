"""What may the objects of a call hold, and how do they become attributes?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from bot.intake.wrong import Wrong, said, unstorable
from followups.facts import AttributeValue

MOST_BYTES_PER_CALL = 32 * 1024
_MOST_TRAITS, _LONGEST_TRAIT, _LONGEST_VALUE, _DEEPEST = 300, 100, 8000, 4


def document_of(item: dict[str, Any], name: str) -> bytes | None:
    """The object under `name` as the JSON that will be stored; None: there is none.

    Raises:
        Wrong: it is no object, or larger than what one call may hold.
    """
    value = item.get(name)
    if not value and (value is None or isinstance(value, dict)):
        return None
    if not isinstance(value, dict):
        raise Wrong(
            name, f"must be an object, not {said(value)}", f"オブジェクトにしてください（{said(value)}）"
        )
    document = to_json(value, inf_nan_mode="constants")
    if len(document) > MOST_BYTES_PER_CALL:
        raise Wrong(name, "is larger than 32 KB", "32KBを超えています")
    if b"Infinity" in document and (wrong := unstorable(value, name)):
        raise wrong
    return document


def traits_of(item: dict[str, Any]) -> dict[str, AttributeValue]:
    """The traits of one call, by name.

    Raises:
        Wrong: one of them cannot be an attribute.
    """
    traits: dict[str, AttributeValue] = {}
    document_of(item, "traits")
    _flatten(item.get("traits") or {}, "", traits, _DEEPEST)
    if len(traits) > _MOST_TRAITS:
        raise Wrong(
            "traits",
            f"holds {len(traits)} values; at most {_MOST_TRAITS} are taken",
            f"{len(traits)}個あります。{_MOST_TRAITS}個までです",
        )
    company = traits.pop("company.name", None)
    if company is not None:
        traits.setdefault("company", company)
    return traits


def _flatten(given: Mapping[str, Any], prefix: str, into: dict[str, AttributeValue], deep: int) -> None:
    for key, value in given.items():
        name = prefix + key
        if not key or len(name) > _LONGEST_TRAIT:
            raise Wrong(
                f"traits.{name[:_LONGEST_TRAIT]}",
                f"trait names have 1 to {_LONGEST_TRAIT} characters",
                f"属性名は1〜{_LONGEST_TRAIT}文字です",
            )
        if isinstance(value, dict) and deep > 1:
            _flatten(value, f"{name}.", into, deep - 1)
        elif isinstance(value, dict | list):
            raise Wrong(
                f"traits.{name}",
                "must be text, a number, true, false or null, not a list or a deeper object"
                " (send one trait per value)",
                "文字列・数値・真偽値・nullにしてください。配列や深い入れ子は扱えません（値ごとに分けてください）",
            )
        elif isinstance(value, str) and len(value) > _LONGEST_VALUE:
            raise Wrong(
                f"traits.{name}",
                f"has {len(value)} characters; at most {_LONGEST_VALUE} are taken",
                f"{len(value)}文字あります。{_LONGEST_VALUE}文字までです",
            )
        else:
            into[name] = value
