"""How does an installation come back from a backup without writing to anybody twice?"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path

from bot.errors import Refused
from db.deciding.pauses import RESTORED
from db.keeping.dumps import check_dump, is_empty, is_in_use, load
from db.migrate import migrate


async def restore(database_url: str, file: Path, *, is_replacing: bool, now: datetime) -> None:
    """Put a backup into the database, bring it to the newest schema, and leave rules paused.

    What happened since the backup was written is unknown: who opted out, who got what. So nothing that was
    waiting goes out by itself, and rules write to nobody until a person resumes them.

    Args:
        is_replacing: what is in the database now may be lost.

    Raises:
        Refused: other processes use the database, or it holds customers and `is_replacing` is False.
        Misconfigured: the file is no backup or damaged, or the database cannot be reached.
    """
    check_dump(file)
    if await asyncio.to_thread(is_in_use, database_url):
        raise Refused(
            ja="ほかのプロセスがこのデータベースを使っています。すべて止めてから、もう一度実行してください。",
            en="other processes use this database (stop all of them, then run this again)",
        )
    if not is_replacing and not await asyncio.to_thread(is_empty, database_url):
        raise Refused(
            ja="データベースには顧客がいます。消して置き換えてよければ --replace を付けてください。",
            en="the database holds customers (add --replace if they may be lost)",
        )
    pause = json.dumps({"by": "restore", "at": now.isoformat(), "because": RESTORED})
    await asyncio.to_thread(load, database_url, file, pause=pause, now=now)
    await asyncio.to_thread(migrate, database_url)
