"""Is the database there, new enough, durable, and does it have our schema?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.clock import Clock
from bot.doctor.clocks import clock_finding, skew_of
from bot.doctor.findings import Finding, error, note, ok, warning
from bot.errors import Misconfigured
from bot.settings import Settings
from db import embedded
from db.engine import Database
from db.keeping.vitals import Vitals, known_revisions, vitals

OLDEST = 16
_CLOCK_TOLERATED, _CLOCK_REFUSED = timedelta(seconds=5), timedelta(seconds=60)
_DURABLE = ("on", "local", "remote_write", "remote_apply")
"""Values of synchronous_commit with which a commit survives this server's crash."""


async def look_at_database(settings: Settings, clock: Clock) -> list[Finding]:
    """Connect and ask. An embedded server that does not run is started for the moment."""
    if settings.database_url is not None:
        return await _asked(settings.database_url.get_secret_value(), clock, settings)
    folder = settings.yorisoi_data_dir.expanduser()
    if not (folder / "pg" / "PG_VERSION").exists():
        return [_not_made(folder)]
    try:
        server = await asyncio.to_thread(embedded.start, settings.yorisoi_data_dir)
    except Misconfigured as wrong:
        return [_unreachable(str(wrong))]
    try:
        return await _asked(server.url, clock, settings)
    finally:
        await asyncio.to_thread(server.stop)


async def _asked(url: str, clock: Clock, settings: Settings) -> list[Finding]:
    try:
        database = Database(url, pool_size=1, application="yorisoi doctor")
    except Misconfigured as wrong:
        return [_unreachable(str(wrong))]
    try:
        await database.check()
        async with database.begin() as session:
            before = clock.now()
            found = await vitals(session)
            after = clock.now()
    except Misconfigured as wrong:
        return [_unreachable(str(wrong))]
    except DBAPIError as failed:
        return [_unreachable(f"{type(failed.orig).__name__}")]
    finally:
        await database.dispose()
    known = await asyncio.to_thread(known_revisions)
    findings = list(findings_of(found, known=known, before=before, after=after))
    if settings.openai_embedding_model is not None and not found.has_vectors:
        findings.append(_no_vectors())
    return findings


def findings_of(
    found: Vitals, *, known: Sequence[str], before: datetime, after: datetime
) -> Iterator[Finding]:
    """What a server's own words mean. `known`: the schema's revisions, newest first."""
    version = f"{found.version // 10_000}.{found.version % 10_000}"
    if found.version // 10_000 < OLDEST:
        yield error(
            "database.version",
            f"PostgreSQL {version} は古すぎます",
            f"PostgreSQL {version} is too old",
            fix=(f"PostgreSQL {OLDEST}以上にしてください", f"use PostgreSQL {OLDEST} or newer"),
        )
    else:
        yield ok(
            "database.version",
            f"PostgreSQL {version} につながりました",
            f"connected to PostgreSQL {version}",
        )
    yield from _durability(found)
    yield _schema(found, known)
    yield clock_finding(
        "database.clock",
        skew_of(found.now, before=before, after=after),
        ja="データベースの時計",
        en="the database's",
        tolerated=_CLOCK_TOLERATED,
        refused=_CLOCK_REFUSED,
    )


def _durability(found: Vitals) -> Iterator[Finding]:
    unsafe = {
        "fsync": found.fsync != "on",
        "synchronous_commit": found.synchronous_commit not in _DURABLE,
        "full_page_writes": found.full_page_writes != "on",
    }
    for name in (name for name, is_unsafe in unsafe.items() if is_unsafe):
        yield error(
            f"database.{name}",
            f"データベースの {name} が切られています。停電などで、受け取ったものや送信の記録が失われます",
            f"the database runs with {name} off: a crash loses what was acknowledged, and what was sent",
            fix=(
                f"PostgreSQLで ALTER SYSTEM SET {name} = 'on'; と SELECT pg_reload_conf(); を実行し、"
                "データベースやロールごとの設定も外してください",
                f"run in PostgreSQL: ALTER SYSTEM SET {name} = 'on'; SELECT pg_reload_conf(); and take it off"
                " the database and the role, too",
            ),
        )
    if found.is_read_only:
        yield error(
            "database.read_only",
            "データベースが読み取り専用です(レプリカかもしれません)",
            "the database takes no writes (a replica, perhaps)",
            fix=("DATABASE_URL をプライマリに向けてください", "let DATABASE_URL name the primary"),
        )
    if not any(unsafe.values()):
        yield ok(
            "database.durability",
            "確定したものは停電でも失われません(fsync, synchronous_commit: on)",
            "what is committed survives a crash (fsync and synchronous_commit are on)",
        )


def _schema(found: Vitals, known: Sequence[str]) -> Finding:
    key = "database.schema"
    if found.revision is None:
        return note(
            key,
            "表はまだありません(最初の起動か yorisoi migrate で作られます)",
            "there are no tables yet (the first start makes them, or `yorisoi migrate`)",
        )
    if found.revision == known[0]:
        return ok(key, "表は最新です", "the schema is the newest")
    if found.revision in known:
        return warning(
            key,
            f"表が古い版({found.revision})のままです",
            f"the schema is of an older version ({found.revision})",
            fix=("yorisoi migrate を実行してください", "run: yorisoi migrate"),
        )
    return error(
        key,
        f"表がこのプログラムより新しい版({found.revision})です",
        f"the schema ({found.revision}) is newer than this program",
        fix=("Yorisoiを新しい版にしてください", "install the newer version of Yorisoi"),
    )


def _no_vectors() -> Finding:
    return warning(
        "database.vectors",
        "このPostgreSQLにpgvectorがありません。知識は言葉だけで探します",
        "this PostgreSQL has no pgvector: knowledge is searched by words alone",
        fix=(
            "サーバーにpgvectorを入れるか、OPENAI_EMBEDDING_MODEL を空にしてください",
            "install pgvector on the server, or leave OPENAI_EMBEDDING_MODEL empty",
        ),
    )


def _not_made(folder: Path) -> Finding:
    return note(
        "database",
        f"組み込みのデータベースはまだありません(最初の起動で {folder} に作られます)",
        f"there is no embedded database yet (the first start makes it in {folder})",
    )


def _unreachable(because: str) -> Finding:
    return error(
        "database",
        f"データベースを使えません: {because}",
        f"the database cannot be used: {because}",
        fix=(
            "PostgreSQLが動いていることと、DATABASE_URL(空なら YORISOI_DATA_DIR)を確かめてください",
            "check that PostgreSQL runs, and DATABASE_URL (or, when that is empty, YORISOI_DATA_DIR)",
        ),
    )
