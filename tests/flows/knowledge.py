"""Which pages do tests answer from? Those of the sample company."""

from __future__ import annotations

from pathlib import Path

import sandbox

FOLDER = Path(sandbox.__file__).parent / "knowledge"
PAGES = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.md"))}
