"""Which files are a rule folder's, and what do they say?"""

from __future__ import annotations

import os
from pathlib import Path

from bot.errors import Misconfigured
from followups.rules.parsing import PolicyText

_MOST_BYTES = 1_000_000


def read_folder(folder: Path) -> dict[str, str]:
    """The YAML files of a rule folder, by their path from where the command runs.

    Raises:
        Misconfigured: it is no folder, or a file in it is no text.
    """
    if not folder.is_dir():
        raise Misconfigured(
            f"{folder} is no folder (フォルダがありません: name one that holds *.yaml and messages/*.yaml)"
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise Misconfigured(f"{folder} cannot be opened (開けません: check who may read it)")
    paths = [*folder.glob("*.y*ml"), *folder.glob("messages/*.y*ml"), *folder.glob("scripts/*.yaml")]
    return {str(path): _text_of(path) for path in sorted(paths) if path.is_file()}


def read_pages(folder: Path) -> dict[str, str]:
    """The pages of knowledge in a folder (`*.md`, sub-folders too), by their path inside it.

    Raises:
        Misconfigured: it is no folder, or a file in it is no text.
    """
    if not folder.is_dir():
        raise Misconfigured(f"{folder} is no folder (フォルダがありません: name one that holds *.md)")
    return {str(path.relative_to(folder)): _text_of(path) for path in sorted(folder.rglob("*.md"))}


def policy_beside(folder: Path | None, path: Path | None) -> PolicyText | None:
    """The policy named by `path`, else the folder's own policy.yaml, if there is one.

    Raises:
        Misconfigured: the named file does not exist, or is no text.
    """
    if path is None:
        own = folder / "policy.yaml" if folder is not None else None
        if own is None or not own.is_file():
            return None
        path = own
    if not path.is_file():
        raise Misconfigured(
            f"{path} does not exist (方針のファイルがありません: YORISOI_POLICY names policy.yaml)"
        )
    return PolicyText(path=str(path), source=_text_of(path))


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"{path}:1:1: cannot be read: {error.strerror} (読めません: check who may read it)"
        ) from None
    if len(raw) > _MOST_BYTES:
        raise Misconfigured(f"{path}:1:1: {len(raw):,} bytes (大きすぎます: at most {_MOST_BYTES:,})")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        begin = raw.rfind(b"\n", 0, error.start) + 1
        column = len(raw[begin : error.start].decode("utf-8-sig", "replace")) + 1
        raise Misconfigured(
            f"{path}:{line}:{column}: not UTF-8 text (UTF-8 で保存してください: save it as UTF-8)"
        ) from None
