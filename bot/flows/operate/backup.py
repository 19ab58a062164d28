"""How is everything this installation knows written into one file?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from db.keeping.dumps import dump


async def backup(database_url: str, file: Path, *, on_bytes: Callable[[int], None]) -> int:
    """Write a backup while the program runs; returns its size in bytes.

    It holds customers' names and words, and is readable by its owner only; settings and secrets are not in
    it.

    Raises:
        Misconfigured: the database cannot be reached, or the file cannot be written.
    """
    return await asyncio.to_thread(dump, database_url, file, on_bytes=on_bytes)
