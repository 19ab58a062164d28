"""What do we say to the model? Words live in files; a missing variable is an error, never a gap."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.errors import Misconfigured

FOLDER = Path(__file__).parent


class FrontMatter(BaseModel):
    """What stands above a prompt's text: what it is for, and the variables it takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field(min_length=1)
    inputs: dict[str, str] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What goes to the model: our instructions, and, apart from them, what others wrote."""

    system: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt as written. `version` stands for its whole content, included files too."""

    name: str
    front: FrontMatter
    system: str
    user: str
    version: str

    def render(self, **values: Any) -> Rendered:
        """Put the values in.

        Raises:
            ValueError: a variable is missing or was never declared.
        """
        if set(values) != set(self.front.inputs):
            raise ValueError(f"{self.name} takes {sorted(self.front.inputs)}, given {sorted(values)}")
        environment = _environment()
        try:
            return Rendered(
                system=environment.from_string(self.system).render(values).strip(),
                user=environment.from_string(self.user).render(values).strip(),
            )
        except TemplateError as error:
            raise ValueError(f"{self.name}: {error}") from error


@cache
def load(name: str) -> Prompt:
    """The prompt in `prompts/<name>/prompt.md`.

    Raises:
        Misconfigured: the file is missing or broken; the message says where.
    """
    path = FOLDER / name / "prompt.md"
    try:
        text = path.read_text(encoding="utf-8")
        _, head, body = text.split("---\n", 2)
        front = FrontMatter.model_validate(YAML(typ="safe", pure=True).load(head))
    except (OSError, ValueError, YAMLError, ValidationError) as error:
        raise Misconfigured(f"prompts/{name}/prompt.md cannot be read: {error}") from error
    system, found, user = body.partition("\n# user\n")
    if not found or not system.lstrip().startswith("# system\n"):
        raise Misconfigured(f"prompts/{name}/prompt.md needs a “# system” and a “# user” part.")
    return Prompt(
        name=name,
        front=front,
        system=system.lstrip().removeprefix("# system\n"),
        user=user,
        version=_digest(text, _included(body)),
    )


def undeclared(prompt: Prompt) -> set[str]:
    """Variables that the text uses and the front matter does not name, or the reverse."""
    environment = _environment()
    used: set[str] = set()
    for text in (prompt.system, prompt.user, *_included(prompt.system + prompt.user).values()):
        used |= meta.find_undeclared_variables(environment.parse(text))
    return used ^ set(prompt.front.inputs)


def _included(text: str) -> Mapping[str, str]:
    names = meta.find_referenced_templates(_environment().parse(text))
    return {name: (FOLDER / name).read_text(encoding="utf-8") for name in names if name}


def _digest(text: str, included: Mapping[str, str]) -> str:
    written = json.dumps([text, dict(sorted(included.items()))])
    return blake2b(written.encode(), digest_size=8).hexdigest()


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment
