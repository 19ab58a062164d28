"""Does the core keep to itself: no input or output, no clock, no chance, no logging?"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import followups

ROOT = Path(followups.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
ALLOWED = {"followups", "jpholiday", "numpy", "pydantic", "regex", "ruamel", "scipy"}
OPTIONAL = {"sklearn"}
"""Of an extra: only inside the one function that needs it, so that the core imports without it."""
FORBIDDEN = {
    "asyncio",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "time",
}
CALLS = {"open", "print", "input", "now", "utcnow", "today", "uuid4", "uuid1", "getenv"}


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(ROOT)) for path in MODULES])
def test_a_module_of_the_core_only_thinks(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_the_top = {id(node) for node in tree.body}
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            for name in {each.split(".")[0] for each in names}:
                is_plain = name in sys.stdlib_module_names and name not in FORBIDDEN
                is_late = name in OPTIONAL and id(node) not in at_the_top
                assert name in ALLOWED or is_plain or is_late, name
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in CALLS, f"line {node.lineno}: {called}()"
