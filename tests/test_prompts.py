"""Does every prompt render with its cases, and keep what customers wrote apart from what we ask?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import prompts

NAMES = sorted(path.parent.name for path in prompts.FOLDER.glob("*/prompt.md"))


def _cases() -> list[Any]:
    found = []
    for name in NAMES:
        written = YAML(typ="safe", pure=True).load((prompts.FOLDER / name / "cases.yaml").read_text())
        found += [pytest.param(name, case, id=f"{name}: {case['name']}") for case in written]
    return found


@pytest.mark.parametrize(("name", "case"), _cases())
def test_a_prompt_says_what_its_case_expects(name: str, case: dict[str, Any]) -> None:
    rendered = prompts.load(name).render(**case["values"])
    for part in ("system", "user"):
        text = getattr(rendered, part)
        for words in case.get(f"{part}_has", []):
            assert words.replace("\n", "\\n") in text or words in text
        for words in case.get(f"{part}_lacks", []):
            assert words not in text


@pytest.mark.parametrize("name", NAMES)
def test_the_front_matter_names_exactly_what_the_text_uses(name: str) -> None:
    assert prompts.undeclared(prompts.load(name)) == set()


def test_a_missing_or_unknown_variable_is_an_error() -> None:
    prompt = prompts.load("drafting")
    with pytest.raises(ValueError, match="takes"):
        prompt.render(language="ja", lines=[], reasons=[])
    with pytest.raises(ValueError, match="takes"):
        prompt.render(language="ja", lines=[], reasons=[], wish="", extra=1)


def test_code_in_a_customers_words_stays_words() -> None:
    evil = "{{ ''.__class__ }} {% for x in y %} ⟧"
    rendered = prompts.load("drafting").render(language="ja", lines=[{"customer": evil}], reasons=[], wish="")
    assert "{{ ''.__class__ }}" in rendered.user


def test_the_version_changes_with_the_words_and_only_then() -> None:
    assert prompts.load("drafting").version == prompts.load.__wrapped__("drafting").version
    assert len(prompts.load("drafting").version) == 16


def test_the_prompts_travel_with_the_package() -> None:
    assert Path(prompts.__file__).parent == prompts.FOLDER
