"""Does the schema that editors read know the language the parser reads?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from followups.rules.schema import message_schema, rule_schema
from followups.rules.schema_words import WORDS
from followups.rules.settings_schema import policy_schema, scoring_schema
from followups.rules.yaml.conditions import KINDS
from followups.rules.yaml.messages import KEYS as MESSAGE_KEYS
from followups.rules.yaml.policies import policy, scoring
from followups.rules.yaml.rules import KEYS


def test_the_schema_names_every_key_and_condition():
    schema = rule_schema()
    assert set(schema["properties"]) == set(KEYS)
    nodes = schema["$defs"]["condition"]["oneOf"]
    assert [node["required"] for node in nodes] == [[kind] for kind in KINDS]
    assert set(message_schema()["properties"]) == set(MESSAGE_KEYS)
    assert json.loads(json.dumps(schema)) == schema


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property anywhere in a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from properties(each, path)
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key == "properties":
            for name, each in value.items():
                yield f"{path}.{name}", each
                yield from properties(each, f"{path}.{name}")
        else:
            yield from properties(value, path)


def test_every_key_is_described_in_both_languages():
    found = dict(properties(rule_schema())) | dict(properties(message_schema()))
    assert len(found) > 60
    for path, each in found.items():
        words = each.get("description", "")
        assert " / " in words, path
        assert any(ord(letter) > 0x3000 for letter in words), path
    assert "5 without it" in found[".trend.at_least"]["description"]
    assert found[".score.at_least"] != found[".count.at_least"]
    assert {path.rsplit(".", 1)[-1] for path in found} <= {key.rsplit(".", 1)[-1] for key in WORDS}


def test_the_settings_files_have_one_too_with_every_key_described():
    for schema, keys in ((policy_schema(), policy.KEYS), (scoring_schema(), scoring.KEYS)):
        assert set(schema["properties"]) == set(keys)
        assert json.loads(json.dumps(schema)) == schema
        for path, each in properties(schema):
            assert " / " in each.get("description", ""), path
            assert any(ord(letter) > 0x3000 for letter in each["description"]), path
