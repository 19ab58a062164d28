"""What does the program itself say to customers? The texts in `messages/`, checked when they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.errors import Misconfigured

FOLDER = Path(__file__).parent / "messages"
SLOTS = frozenset({"name", "when", "hours", "number", "topic", "purpose"})
"""What may stand in braces."""
_SLOT = re.compile(r"\{([^{}]*)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wording(_Strict):
    """One text in both languages."""

    ja: str = Field(min_length=1)
    en: str = Field(min_length=1)

    @model_validator(mode="after")
    def _known_slots(self) -> Wording:
        slots = [frozenset(_SLOT.findall(text)) for text in (self.ja, self.en)]
        if unknown := (slots[0] | slots[1]) - SLOTS:
            raise ValueError(f"unknown placeholder {{{min(unknown)}}}")
        if slots[0] != slots[1]:
            raise ValueError("both languages must have the same placeholders")
        return self

    def in_language(self, language: str | None) -> str:
        """The text for a reader of this language: Japanese unless it is another one."""
        return self.ja if (language or "ja").lower().startswith("ja") else self.en


class Button(_Strict):
    """A button that answers: what it says and what it sends back."""

    label: Wording
    sends: str = Field(min_length=1, max_length=300)


class Choice(Button):
    """A quick reply that answers. `picks`: a `date` is asked for first, which comes with the answer."""

    picks: Literal["date"] | None = None


class SystemText(_Strict):
    """One message of the program's own. `sends` of a button may have slots, too."""

    text: Wording
    buttons: tuple[Button, ...] = ()
    choices: tuple[Choice, ...] = Field(default=(), max_length=13)

    def say(self, language: str | None, **values: str) -> str:
        """The text in a language, its placeholders filled.

        Raises:
            KeyError: a placeholder has no value.
        """
        return fill(self.text.in_language(language), values)

    def wording_of(self, language: str | None) -> str:
        """Stands for exactly these words and buttons: what a consent was an answer to."""
        shown = [
            self.text.in_language(language),
            *(each.label.in_language(language) for each in (*self.buttons, *self.choices)),
        ]
        return blake2b("\0".join(shown).encode(), digest_size=8).hexdigest()


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its slots filled.

    Raises:
        KeyError: a slot has no value.
    """
    return _SLOT.sub(lambda slot: values[slot[1]], text)


@cache
def system_text(name: str) -> SystemText:
    """The text called `name` (`messages/<name>.yaml`).

    Raises:
        Misconfigured: there is none, or it is not written as it should be.
    """
    path = FOLDER / f"{name}.yaml"
    try:
        return SystemText.model_validate(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))
    except FileNotFoundError:
        raise Misconfigured(f"there is no system text {path}") from None
    except (YAMLError, ValidationError) as error:
        raise Misconfigured(f"{path}: {error}") from None
