"""What may an editor offer while a rule file is written?

JSON Schema (draft 2020-12) of rule files, made from the same vocabulary as the parser. The parser decides;
the schema only helps to type.
"""

from __future__ import annotations

from typing import Any

from followups.lint import MAX_LABEL, MAX_TEXT
from followups.rules.model import DuringConversation
from followups.rules.yaml.conditions import KINDS, MAX_MEMBERS
from followups.rules.yaml.messages import MAX_QUICK_REPLIES, MAX_URL
from followups.rules.yaml.rules import KEYS, MAX_REASON, MAX_TITLE, STATES
from followups.signals import MAX_RECENT

Schema = dict[str, Any]

_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
_SPAN: Schema = {"type": "string", "pattern": "^[0-9]{1,7}[mhdw]$", "description": "90m 4h 3d 2w"}
_SHARE: Schema = {"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,4})? ?%$", "description": "10%"}
_VALUE: Schema = {"type": ["string", "number", "boolean"]}


def _mapping(properties: Schema, required: tuple[str, ...] = (), **rest: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **rest,
    }


def _by_language(limit: int) -> Schema:
    text = {"type": "string", "minLength": 1, "maxLength": limit}
    return {"anyOf": [text, {"type": "object", "additionalProperties": text, "minProperties": 1}]}


def _number(lowest: int, highest: int) -> Schema:
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def _conditions() -> Schema:
    node = {"$ref": "#/$defs/condition"}
    members = {"type": "array", "items": node, "minItems": 1, "maxItems": MAX_MEMBERS}
    since = _mapping({"more_than": _SPAN, "less_than": _SPAN}, minProperties=1)
    count = _mapping(
        {
            "at_least": _number(1, MAX_RECENT),
            "at_most": _number(0, MAX_RECENT - 1),
            "fewer_than": _number(1, MAX_RECENT),
            "within": _SPAN,
        },
        minProperties=1,
    )
    event = _mapping({"event": _NAME}, ("event",))
    names = {"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True}
    used = {"fewer_than": _number(1, 50), "at_least": _number(1, 50), "of": names, "within": _SPAN}
    values = {"type": "array", "items": _VALUE, "minItems": 1}
    asked = {"last": since, "first": since, "count": count, "never": {"type": "boolean"}}
    operators: Schema = {
        "equals": _VALUE,
        "in": values,
        "not_in": values,
        "at_least": {"type": "number"},
        "at_most": {"type": "number"},
        "exists": {"type": "boolean"},
        "within": _SPAN,
        "passed": _SPAN,
        "anniversary": {"const": True},
    }
    stalled = _mapping({"since": event, "without": event, "for": _SPAN}, ("since", "without", "for"))
    return {
        **{kind: _mapping({kind: members}, (kind,)) for kind in ("all", "any", "none")},
        "event": _mapping({"event": _NAME, **asked}, ("event",), minProperties=2, maxProperties=2),
        "stalled": _mapping({"stalled": stalled}, ("stalled",)),
        "used": _mapping({"used": _mapping(used, ("of",), minProperties=2)}, ("used",)),
        "attribute": _mapping(
            {"attribute": _NAME, **operators}, ("attribute",), minProperties=2, maxProperties=2
        ),
        "line": _mapping({"line": _mapping({"linked": {"type": "boolean"}}, ("linked",))}, ("line",)),
    }


def message_schema() -> Schema:
    """The schema of a message: a file of `messages/`, or in place."""
    label = _by_language(MAX_LABEL)
    url = {"type": "string", "format": "uri", "pattern": "^https://", "maxLength": MAX_URL}
    reply = _mapping({"label": label, "signal": _NAME, "lead": {"type": "boolean"}}, ("label", "signal"))
    return _mapping(
        {
            "purpose": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
            "text": _by_language(MAX_TEXT),
            "button": _mapping({"label": label, "url": url}, ("label", "url")),
            "quick_replies": {"type": "array", "items": reply, "minItems": 1, "maxItems": MAX_QUICK_REPLIES},
        },
        ("text",),
    )


def rule_schema() -> Schema:
    """The schema of a rule file."""
    conditions = _conditions()
    assert set(conditions) == set(KINDS)
    reason = {"type": "string", "minLength": 1, "maxLength": MAX_REASON}
    step = {
        "oneOf": [
            _mapping({"send": {"anyOf": [_NAME, message_schema()]}}, ("send",)),
            _mapping({"escalate": _mapping({"reason": reason}, ("reason",))}, ("escalate",)),
        ]
    }
    properties = {
        "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
        "goal": _mapping({"event": _NAME, "within": _SPAN}, ("event", "within")),
        "when": {"$ref": "#/$defs/condition"},
        "priority": {**_number(0, 100), "default": 50},
        "again_after": {"anyOf": [_SPAN, {"const": "never"}]},
        "holdout": _SHARE,
        "approval": {"const": "auto"},
        "during_conversation": {"enum": [each.value for each in DuringConversation], "default": "hold"},
        "state": {"enum": list(STATES), "default": "shadow"},
        "then": {"type": "array", "items": step, "minItems": 1, "maxItems": 1},
    }
    assert set(properties) == set(KEYS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Yorisoi rule",
        **_mapping(properties, ("id", "goal", "when", "then")),
        "$defs": {"condition": {"oneOf": list(conditions.values())}},
    }
