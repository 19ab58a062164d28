"""Which ready-made replies may a person start from? Shipped in `templates/`, or the shop's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.errors import Misconfigured
from followups.words.placeholders import slots

FOLDER = Path(__file__).parent / "templates"


class Said(BaseModel):
    """One text, in one or both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ja: str = ""
    en: str = ""

    def in_language(self, language: str) -> str:
        """The text for this language, else the other one."""
        return (self.ja or self.en) if language.startswith("ja") else (self.en or self.ja)


class ReplyTemplate(BaseModel):
    """A reply to start from. Placeholders: `{customer.name}`, `{customer.<attribute>}`, `{staff.name}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Said
    text: Said

    @model_validator(mode="after")
    def _is_usable(self) -> ReplyTemplate:
        if not (self.title.in_language("ja").strip() and self.text.in_language("ja").strip()):
            raise ValueError("title and text must say something")
        for text in (self.text.ja, self.text.en):
            if bad := slots(text)[1]:
                raise ValueError(f"unknown placeholder {{{bad[0].written}}}")
        return self


@lru_cache(maxsize=4)
def reply_templates(folder: Path | None = None) -> Mapping[str, ReplyTemplate]:
    """The templates by file name; a folder of one's own takes the place of the shipped ones.

    Raises:
        Misconfigured: a file is not written as it should be.
    """
    read: dict[str, ReplyTemplate] = {}
    for path in sorted((folder or FOLDER).glob("*.yaml")):
        try:
            written = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
            read[path.stem] = ReplyTemplate.model_validate(written)
        except (OSError, UnicodeDecodeError, YAMLError, ValidationError) as error:
            raise Misconfigured(f"{path}: {error}") from None
    return read
