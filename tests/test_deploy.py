"""Does what we ship for operators name what the program really has?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.metrics import REGISTRY
from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"


def test_the_dashboard_asks_only_for_figures_that_exist() -> None:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    known = {
        sample.name.removesuffix("_created")
        for family in REGISTRY.collect()
        for sample in [*family.samples, *_unused(family.name, family.type)]
    }
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"yorisoi_\w+", target["expr"])
    }
    assert asked
    assert asked - known == set()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


class _Name:
    def __init__(self, name: str) -> None:
        self.name = name


def _unused(family: str, kind: str) -> list[_Name]:
    """A labelled metric that nobody used yet has no samples; these are the names it will have."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    return [_Name(family + ending) for ending in endings.get(kind, ())]


def test_compose_starts_web_and_workers_after_the_migration_with_settings_that_exist() -> None:
    compose = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
    services = compose["services"]
    assert set(services) == {"database", "migrate", "web", "worker"}
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["command"] == [name]
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]
    named = set(services["web"]["environment"])
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_no_secret_stands_in_what_we_ship() -> None:
    shipped = [ROOT / "compose.yaml", ROOT / "Dockerfile", *DEPLOY.iterdir()]
    text = "\n".join(path.read_text() for path in shipped)
    assert re.findall(r"(?i)(password|secret|token|api_key)\s*[:=]\s*[\"']?[a-z0-9]{6,}", text) == []


@pytest.mark.parametrize("needed", ["bot", "handlers", "followups", "db", "prompts", "sandbox"])
def test_the_image_holds_every_package(needed: str) -> None:
    recipe = (ROOT / "Dockerfile").read_text()
    assert f"COPY {needed} {needed}" in recipe
    assert f"!{needed}" in (ROOT / ".dockerignore").read_text()
    assert "USER yorisoi" in recipe
    assert "--require-hashes" in recipe


PACKAGES = ("bot", "handlers", "followups", "db", "prompts", "sandbox")


def test_the_wheel_holds_every_file_that_the_program_reads(tmp_path: Path) -> None:
    """The image installs the wheel: rules, messages, prompts and pages must be in it, not code alone."""
    built = subprocess.run(
        [
            sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps",
            "--no-index", "--no-build-isolation", "-w", str(tmp_path), str(ROOT),
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(each).suffix for each in needed} >= {".py", ".yaml", ".md", ".html", ".js", ".css"}
    assert needed - packed == set()
    assert {each for each in packed - needed if ".dist-info/" not in each} == set()


def test_compose_finds_what_init_writes() -> None:
    """`.env` names policy.yaml and rules/ by paths that exist only where `init` ran."""
    compose = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
    web = compose["services"]["web"]
    mounted = {volume.rsplit(":", 2)[1] for volume in web["volumes"]}
    for name in ("YORISOI_RULES", "YORISOI_POLICY"):
        assert web["environment"][name] in mounted
