"""What does `init` write, and what does it leave alone?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import Ids
from bot.init.env_file import edited, is_private, values_of, write_private
from bot.init.files import KEPT_OUT_OF_GIT, NewFile, first_rules, has_rules, policy_text
from bot.init.manifest import manifest

ENV, POLICY, RULES, MANIFEST = ".env", "policy.yaml", "rules", "slack-manifest.yaml"
IGNORED = ".gitignore"
INGEST_KEY = "YORISOI_INGEST_KEY"


@dataclass(slots=True, kw_only=True)
class Written:
    """What came of it: `made` and `changed` files, those left `alone`, and the settings that are in force."""

    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    is_socket_mode: bool = False


def refused(folder: Path, answers: Mapping[str, str]) -> tuple[str, ...]:
    """Settings that stand in `.env` with another value: only `--force` may replace them."""
    return edited(_text_of(folder / ENV), answers).kept


def write(
    folder: Path,
    answers: Mapping[str, str],
    *,
    ids: Ids,
    product_url: str | None = None,
    is_socket_mode: bool | None = None,
    is_forced: bool = False,
) -> Written:
    """Write `.env`, policy.yaml, rules/ and the Slack manifest; a second time changes nothing.

    Args:
        is_socket_mode: None: as the app-level token and the public address suggest.
        is_forced: replace settings that have another value, and the manifest. Policy and rules belong to
            the people who write them: what is there stays.
    """
    done = Written()
    env = folder / ENV
    before = _text_of(env)
    known = values_of(before)
    own = {"YORISOI_POLICY": POLICY, "YORISOI_RULES": RULES}
    wanted = {**{name: value for name, value in own.items() if name not in known}, **answers}
    if INGEST_KEY not in known and INGEST_KEY not in answers:
        wanted[INGEST_KEY] = ids.token()
    edit = edited(before, wanted, is_forced=is_forced)
    if edit.text != before or not env.exists():
        (done.changed if env.exists() else done.made).append(ENV)
        write_private(env, edit.text)
    elif not is_private(env):
        env.chmod(0o600)
        done.changed.append(f"{ENV} (0600)")
    else:
        done.alone.append(ENV)
    done.settings = values_of(edit.text)
    if not (folder / IGNORED).exists():
        _new(done, folder, NewFile(path=Path(IGNORED), text=KEPT_OUT_OF_GIT))
    _new(done, folder, NewFile(path=Path(POLICY), text=policy_text(product_url)))
    if has_rules(folder / RULES):
        done.alone.append(f"{RULES}/")
    else:
        for file in first_rules(Path(RULES), product_url):
            _new(done, folder, file)
    public = done.settings.get("PUBLIC_BASE_URL")
    done.is_socket_mode = (
        is_socket_mode
        if is_socket_mode is not None
        else "SLACK_APP_TOKEN" in done.settings
        or ("SLACK_SIGNING_SECRET" not in done.settings and public is None)
    )
    text = manifest(public_base_url=public, is_socket_mode=done.is_socket_mode)
    _new(done, folder, NewFile(path=Path(MANIFEST), text=text), is_replaced=is_forced)
    return done


def _new(done: Written, folder: Path, file: NewFile, *, is_replaced: bool = False) -> None:
    target = folder / file.path
    if target.exists() and (not is_replaced or target.read_text(encoding="utf-8") == file.text):
        done.alone.append(str(file.path))
        return
    (done.changed if target.exists() else done.made).append(str(file.path))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(file.text, encoding="utf-8")


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
