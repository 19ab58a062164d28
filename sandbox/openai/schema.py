"""Is this JSON Schema one that strict structured output takes, and does a value conform to it?"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with `$ref` into the root's `$defs`, and an `allOf` of one, replaced by what they mean."""
    while "$ref" in schema or len(schema.get("allOf", ())) == 1:
        if "$ref" in schema:
            target: Any = root
            for part in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
                target = target[part] if part else target
        else:
            target = schema["allOf"][0]
        schema = {**target, **{k: v for k, v in schema.items() if k not in {"$ref", "allOf"}}}
    return schema


def not_strict(schema: Any, root: Mapping[str, Any] | None = None, at: str = "()") -> str | None:
    """Why strict mode would refuse this schema; None when it would not (Structured outputs guide)."""
    if not isinstance(schema, Mapping):
        return f"In context={at}, schema must be an object"
    root = schema if root is None else root
    if schema is root and schema.get("type") != "object":
        return f"In context={at}, schema must be of type object"
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return f"In context={at}, 'additionalProperties' is required to be supplied and to be false"
        if set(schema.get("required", ())) != set(properties):
            missing = sorted(set(properties) - set(schema.get("required", ())))
            return (
                f"In context={at}, 'required' is required to be supplied and to be an array "
                f"including every key in properties. Missing {missing}"
            )
    for name, inner in _inner_schemas(schema):
        if (problem := not_strict(inner, root, f"{at[:-1]}'{name}', )")) is not None:
            return problem
    return None


def _inner_schemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from schema.get("properties", {}).items()
    yield from schema.get("$defs", {}).items()
    yield from ((str(index), inner) for index, inner in enumerate(schema.get("anyOf", ())))
    if "items" in schema:
        yield "items", schema["items"]


def violations(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, at: str = "$"
) -> Iterator[str]:
    """Where `value` does not conform to `schema`, for the keywords that structured output knows."""
    root = schema if root is None else root
    schema = resolved(schema, root)
    if "anyOf" in schema:
        if all(any(violations(value, option, root, at)) for option in schema["anyOf"]):
            yield f"{at}: none of anyOf"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: not one of {schema['enum']}"
    names = schema.get("type")
    names = [names] if isinstance(names, str) else names
    if names and not any(_is_a(value, name) for name in names):
        yield f"{at}: not of type {names}"
        return
    yield from _bounds(value, schema, at)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{at}.{name}: missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            if name in properties:
                yield from violations(inner, properties[name], root, f"{at}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{at}.{name}: not foreseen"
    if isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(value):
            yield from violations(inner, schema["items"], root, f"{at}[{index}]")


def _is_a(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _bounds(value: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _within(len(value), schema, "minLength", "maxLength", at)
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{at}: not matching {schema['pattern']}"
    elif isinstance(value, list):
        yield from _within(len(value), schema, "minItems", "maxItems", at)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _within(value, schema, "minimum", "maximum", at)
        if value <= schema.get("exclusiveMinimum", value - 1):
            yield f"{at}: not above {schema['exclusiveMinimum']}"
        if value >= schema.get("exclusiveMaximum", value + 1):
            yield f"{at}: not below {schema['exclusiveMaximum']}"


def _within(size: float, schema: Mapping[str, Any], least: str, most: str, at: str) -> Iterator[str]:
    if size < schema.get(least, size):
        yield f"{at}: {size} is less than {least} {schema[least]}"
    if size > schema.get(most, size):
        yield f"{at}: {size} is more than {most} {schema[most]}"
