"""Does the house keep its own rules: one word a story, short files, plain names, documented doors?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bot", "handlers", "followups", "db", "prompts", "sandbox")
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.parent != ROOT / "db" / "migrations" / "versions"
)
MAX_LINES = 400
MAX_FILES = 14
BANNED_WORDS = {"utils", "util", "helper", "helpers", "manager", "service", "misc"}
COMMITTERS = {
    "db/engine.py": "our transactions",
    "db/migrate.py": "our tables",
    "bot/intake/rows.py": "the product's own database, where it only makes the connection read-only",
}
SDK_OWNERS = {
    "linebot": ("bot/line/client.py",),
    "slack_sdk": ("bot/slack/", "handlers/slack/", "sandbox/slack"),
    "slack_bolt": ("bot/slack/", "handlers/slack/"),
    "procrastinate": ("bot/jobs.py", "db/migrate.py", "db/migrations/"),
    "apscheduler": ("bot/scheduler.py",),
    "openai": ("bot/llm/",),
}


def documents() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "".join(page.read_text() for page in pages)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_fits_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_says_in_one_sentence_what_it_answers(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), f"{relative(path)} has no docstring"


def test_no_folder_is_a_heap() -> None:
    folders = {path.parent for path in SOURCES} - {ROOT / "db"}
    heaps = {relative(f): n for f in folders if (n := len(list(f.glob("*.py")))) > MAX_FILES}
    assert heaps == {}


def test_nothing_is_called_by_a_name_that_says_nothing() -> None:
    found = [relative(p) for p in SOURCES if BANNED_WORDS & set(re.split(r"[_./]", relative(p)))]
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", node.name)}
                if words & BANNED_WORDS:
                    found.append(f"{relative(path)}: {node.name}")
    assert found == []


@pytest.mark.parametrize("sdk", SDK_OWNERS)
def test_an_sdk_is_imported_only_where_it_is_adapted(sdk: str) -> None:
    users = [
        relative(path)
        for path in SOURCES
        if any(name == sdk or name.startswith(f"{sdk}.") for name in imports_of(path))
    ]
    strangers = [user for user in users if not user.startswith(SDK_OWNERS[sdk])]
    assert strangers == []


def test_only_the_engine_commits() -> None:
    callers = [
        relative(path)
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]
    assert [c for c in callers if c not in COMMITTERS] == []


def test_signature_checks_cannot_be_switched_off() -> None:
    assert [relative(p) for p in SOURCES if "skip_signature_verification" in p.read_text()] == []


def test_the_readme_lists_every_setting() -> None:
    known = documents()
    missing = [name.upper() for name in Settings.model_fields if f"`{name.upper()}`" not in known]
    assert missing == []


def test_the_readme_lists_every_door() -> None:
    from fastapi.routing import APIRoute

    from handlers import doors
    from tests.wiring import deps_without_platforms

    routes = [route for door in doors(deps_without_platforms()) for route in door.routes]
    paths = {route.path for route in routes if isinstance(route, APIRoute)}
    known = documents()
    assert paths
    assert sorted(path for path in paths if path not in known) == []
