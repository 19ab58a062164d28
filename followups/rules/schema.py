"""What may an editor offer while a rule file is written?

JSON Schema (draft 2020-12) of rule files, made from the same vocabulary as the parser. The parser decides;
the schema only helps to type.
"""

from __future__ import annotations

from typing import Any

from followups.rules.model import DuringConversation
from followups.rules.schema_words import described
from followups.rules.yaml.conditions import KINDS
from followups.rules.yaml.events import MAX_MEMBERS, MAX_PROPERTIES, MAX_RHYTHM
from followups.rules.yaml.messages import MAX_QUICK_REPLIES, MAX_URL
from followups.rules.yaml.rules import KEYS, MAX_TITLE, STATES
from followups.rules.yaml.steps import MAX_REASON, MAX_STEPS, MAX_VARIANTS
from followups.signals import MAX_RECENT
from followups.standing.segments import SEGMENTS, STAGES
from followups.words.lint import MAX_LABEL, MAX_TEXT

Schema = dict[str, Any]

_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
_SPAN: Schema = {"type": "string", "pattern": "^[0-9]{1,7}[mhdw]$", "description": "90m 4h 3d 2w"}
_SHARE: Schema = {"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,4})? ?%$", "description": "10%"}
_VALUE: Schema = {"type": ["string", "number", "boolean"]}

_WHERE: Schema = {
    "type": "object",
    "additionalProperties": _VALUE,
    "minProperties": 1,
    "maxProperties": MAX_PROPERTIES,
}


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


def _one_or_more(words: tuple[str, ...]) -> Schema:
    word = {"enum": list(words)}
    return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}


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
    event = _mapping({"event": _NAME, "where": _WHERE}, ("event",))
    feature = {"anyOf": [_NAME, event]}
    names = {"type": "array", "items": feature, "minItems": 1, "uniqueItems": True}
    growth = {"type": "string", "pattern": "^[0-9]{1,4}(\\.[0-9]{1,4})? ?%$", "description": "50%"}
    trend = {"down_by": growth, "up_by": growth, "over": _SPAN, "at_least": _number(1, MAX_RECENT)}
    rhythm = {"type": "number", "minimum": 1, "maximum": MAX_RHYTHM, "default": 3}
    idle = _mapping({**event["properties"], "rhythm": rhythm, "min": _SPAN, "max": _SPAN}, ("event",))
    used = {"fewer_than": _number(1, 50), "at_least": _number(1, 50), "of": names, "within": _SPAN}
    values = {"type": "array", "items": _VALUE, "minItems": 1}
    asked = {
        "last": since,
        "first": since,
        "count": count,
        "never": {"type": "boolean"},
        "trend": _mapping(trend, ("over",), minProperties=2, maxProperties=3),
    }
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
        "event": _mapping(
            {**event["properties"], **asked},
            ("event",),
            oneOf=[{"required": [each]} for each in asked],
        ),
        "stalled": _mapping({"stalled": stalled}, ("stalled",)),
        "used": _mapping({"used": _mapping(used, ("of",), minProperties=2)}, ("used",)),
        "idle": _mapping({"idle": idle}, ("idle",)),
        "attribute": _mapping(
            {"attribute": _NAME, **operators}, ("attribute",), minProperties=2, maxProperties=2
        ),
        "line": _mapping({"line": _mapping({"linked": {"type": "boolean"}}, ("linked",))}, ("line",)),
        "clicked": _mapping({"clicked": _NAME, "within": _SPAN}, ("clicked",)),
        "replied": _mapping({"replied": {"type": "boolean"}, "within": _SPAN}, ("replied",)),
        "reacted": _mapping({"reacted": _NAME, "within": _SPAN}, ("reacted",)),
        "segment": _mapping({"segment": _one_or_more(SEGMENTS)}, ("segment",)),
        "stage": _mapping({"stage": _one_or_more(STAGES)}, ("stage",)),
        "score": _mapping({"score": _mapping({"at_least": _number(1, 100)}, ("at_least",))}, ("score",)),
    }


def message_schema() -> Schema:
    """The schema of a message: a file of `messages/`, or in place."""
    label = _by_language(MAX_LABEL)
    url = {"type": "string", "format": "uri", "pattern": "^https://", "maxLength": MAX_URL}
    reply = _mapping({"label": label, "signal": _NAME, "lead": {"type": "boolean"}}, ("label", "signal"))
    message = _mapping(
        {
            "purpose": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
            "text": _by_language(MAX_TEXT),
            "button": _mapping({"label": label, "url": url}, ("label", "url")),
            "image": {"anyOf": [url, _mapping({"url": url, "preview": url}, ("url",))]},
            "coupon": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"},
            "quick_replies": {"type": "array", "items": reply, "minItems": 1, "maxItems": MAX_QUICK_REPLIES},
        },
        ("text",),
    )
    return described(message)


def _step(reason: Schema) -> Schema:
    """One step of `then`."""
    condition, step = {"$ref": "#/$defs/condition"}, {"$ref": "#/$defs/step"}
    steps = {"type": "array", "items": step, "minItems": 1, "maxItems": MAX_STEPS}
    message = {"anyOf": [_NAME, message_schema()]}
    by_key = {"propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,19}$"}, "additionalProperties": message}
    variants = {"type": "object", **by_key, "minProperties": 2, "maxProperties": MAX_VARIANTS}
    time = {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$", "description": "10:00"}
    compared = _mapping({"variants": variants}, ("variants",))
    wait = _mapping({"for": _SPAN, "until": condition, "at": time}, ("for",))
    return {
        "oneOf": [
            _mapping({"send": {"anyOf": [_NAME, message_schema(), compared]}}, ("send",)),
            compared,
            _mapping({"wait": {"anyOf": [_SPAN, wait]}}, ("wait",)),
            _mapping({"if": condition, "then": steps, "else": steps}, ("if", "then")),
            _mapping({"escalate": _mapping({"reason": reason}, ("reason",))}, ("escalate",)),
        ]
    }


def rule_schema() -> Schema:
    """The schema of a rule file."""
    conditions = _conditions()
    assert set(conditions) == set(KINDS)
    reason = {"type": "string", "minLength": 1, "maxLength": MAX_REASON}
    step = _step(reason)
    steps = {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1, "maxItems": MAX_STEPS}
    properties = {
        "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
        "goal": _mapping({"event": _NAME, "where": _WHERE, "within": _SPAN}, ("event", "within")),
        "when": {"$ref": "#/$defs/condition"},
        "priority": {**_number(0, 100), "default": 50},
        "again_after": {"anyOf": [_SPAN, {"const": "never"}]},
        "holdout": _SHARE,
        "approval": {"enum": ["auto", "review"]},
        "during_conversation": {"enum": [each.value for each in DuringConversation], "default": "hold"},
        "state": {"enum": list(STATES), "default": "shadow"},
        "then": steps,
    }
    assert set(properties) == set(KEYS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Yorisoi rule",
        **described(_mapping(properties, ("id", "goal", "when", "then"))),
        "$defs": {
            "condition": {"oneOf": [described(each) for each in conditions.values()]},
            "step": described(step),
        },
    }
