"""Does the schema that editors read know the language the parser reads?"""

from __future__ import annotations

import json

from followups.rules.schema import message_schema, rule_schema
from followups.rules.yaml.conditions import KINDS
from followups.rules.yaml.messages import KEYS as MESSAGE_KEYS
from followups.rules.yaml.rules import KEYS


def test_the_schema_names_every_key_and_condition():
    schema = rule_schema()
    assert set(schema["properties"]) == set(KEYS)
    nodes = schema["$defs"]["condition"]["oneOf"]
    assert [node["required"] for node in nodes] == [[kind] for kind in KINDS]
    assert set(message_schema()["properties"]) == set(MESSAGE_KEYS)
    assert json.loads(json.dumps(schema)) == schema
