"""Which replies can be proposed without a model?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.errors import Misconfigured
from bot.ports import DraftRequest, DraftText
from prompts import FOLDER

SILENCE, OTHER = "silence", "other"


class Kind(BaseModel):
    """Replies to one kind of message. `words`: a pattern; who says one of them means this kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: str
    ja: list[str] = Field(min_length=2)
    en: list[str] = Field(min_length=2)


class TemplateDrafter:
    """Proposes one reply from `prompts/drafting/templates.yaml`; the others when something else is wished."""

    async def draft(self, request: DraftRequest) -> tuple[DraftText, ...]:
        """One reply."""
        kind = templates()[kind_of(request)]
        texts = kind.ja if request.language == "ja" else kind.en
        chosen = texts[1:] if request.wish else texts[:1]
        return tuple(DraftText(text=text, source="template") for text in chosen)


def kind_of(request: DraftRequest) -> str:
    """What the customer's last words are about."""
    said = [line.text for line in request.lines if line.speaker == "customer"]
    if not said:
        return SILENCE
    for name, kind in templates().items():
        if kind.words and re.search(kind.words, said[-1], re.IGNORECASE):
            return name
    return OTHER


@cache
def templates() -> Mapping[str, Kind]:
    """The kinds by name, in order.

    Raises:
        Misconfigured: the file cannot be read.
    """
    path = FOLDER / "drafting" / "templates.yaml"
    try:
        written = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return {name: Kind.model_validate(kind) for name, kind in written.items()}
    except (OSError, YAMLError, ValidationError) as error:
        raise Misconfigured(f"prompts/drafting/templates.yaml cannot be read: {error}") from error
