"""How is the whole database written into one file, and read back without sending anything again?

PostgreSQL's own tools do the copying: those of the embedded server's wheel, for a server of one's own too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql
from sqlalchemy import URL

from bot.errors import Misconfigured
from db.embedded import binaries
from db.engine import shown, unreachable, url_of

_MAGIC = b"PGDMP"
_MESSAGES_KEPT_BACK = "UPDATE public.message SET state = 'unknown', because = 'restored: not known whether it went out', settled_at = {now}, reply_token = NULL WHERE state = 'sending' OR (state = 'queued' AND not_before <= {now});"  # noqa: E501
_POSTS_LOOKED_UP = "UPDATE public.post SET state = 'posting', first_attempt_at = coalesce(first_attempt_at, created_at), attempted_at = coalesce(attempted_at, created_at), not_before = {now} WHERE state = 'queued';"  # noqa: E501
_PAUSED = "INSERT INTO public.setting (name, content, changed_at) VALUES ('paused', {pause}::jsonb, {now}) ON CONFLICT (name) DO UPDATE SET content = excluded.content, changed_at = excluded.changed_at;"  # noqa: E501
_NO_JOBS = "DELETE FROM public.procrastinate_jobs WHERE status IN ('todo', 'doing');"
_NOT_KNOWN_BEFORE = ("SET transaction_timeout",)
"""What PostgreSQL 18 writes and 16 does not know; it changes nothing in a session that ends here."""


def dump(url: str, file: Path, *, on_bytes: Callable[[int], None] = lambda written: None) -> int:
    """Write the whole database into `file`, mode 0600; returns its size in bytes.

    What is committed when it starts is in it, whatever is written meanwhile. The file appears when it is
    complete: a kill leaves an `.unfinished` one, and the old file as it was.

    Args:
        on_bytes: told now and then how much is written.

    Raises:
        Misconfigured: the database cannot be reached, or the folder cannot be written to.
    """
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        target = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"{file} cannot be written: {error.strerror}. Choose another file or folder."
        ) from None
    with os.fdopen(target, "wb") as out:
        with _running(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges") as (running, said):
            assert running.stdout is not None
            written = 0
            while piece := running.stdout.read(1 << 20):
                out.write(piece)
                written += len(piece)
                on_bytes(written)
        _succeed(running, said, "pg_dump", url)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)
    return written


def is_in_use(url: str) -> bool:
    """Is another process of this program connected?"""
    with _connected(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
    return bool(found and found[0])


def is_empty(url: str) -> bool:
    """Is no customer stored here (no tables, or empty ones)?"""
    with _connected(url) as connection:
        exists = connection.execute("SELECT to_regclass('public.customer') IS NOT NULL").fetchone()
        if not exists or not exists[0]:
            return True
        found = connection.execute("SELECT EXISTS (SELECT 1 FROM public.customer)").fetchone()
    return not (found and found[0])


def check_dump(file: Path) -> None:
    """See that a file is a backup.

    Raises:
        Misconfigured: it cannot be read, or is something else.
    """
    try:
        with file.open("rb") as source:
            is_dump = source.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}") from None
    if not is_dump:
        raise Misconfigured(f"{file} is not a backup of this program (written by `yorisoi backup`).")


def load(url: str, file: Path, *, pause: str, now: datetime) -> None:
    """Replace everything in the database by what `file` holds, in one transaction.

    In the same transaction nothing is left that could be sent again: what was waiting and due, or under way,
    becomes `unknown` (a person decides), Slack is asked for posts before they are posted, and rules' messages
    are paused. A kill leaves everything as it was.

    Args:
        pause: the pause to put in force, as the JSON of its setting.

    Raises:
        Misconfigured: the database cannot be reached, or the file is damaged; nothing was changed.
    """
    with _connected(url) as connection:
        quoted = {
            "now": _quoted(connection, now.isoformat()) + "::timestamptz",
            "pause": _quoted(connection, pause),
        }
    # A dump empties the search path, which the functions of the jobs' tables rely on.
    safeguards = ("SET search_path = public;", _MESSAGES_KEPT_BACK, _POSTS_LOOKED_UP, _PAUSED, _NO_JOBS)
    arguments = ("--no-psqlrc", "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1", "--file=-")
    with _running(url, "psql", *arguments, is_fed=True) as (fed, said):
        assert fed.stdin is not None
        try:
            fed.stdin.write(b"DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n")
            _copy_script(file, fed.stdin)
            for statement in safeguards:
                fed.stdin.write(statement.format(**quoted).encode() + b"\n")
            fed.stdin.close()
        except BrokenPipeError:
            pass  # it stopped at a mistake and rolled back; what it said follows
        except BaseException:
            fed.kill()  # without the end of its input it would wait; nothing is committed
            raise
    _succeed(fed, said, "psql", url)


def _copy_script(file: Path, out: IO[bytes]) -> None:
    """The file's content as statements."""
    with subprocess.Popen(  # noqa: S603
        [_tool("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(None),
    ) as reading:
        assert reading.stdout is not None
        assert reading.stderr is not None
        for line in reading.stdout:
            if not line.startswith(tuple(each.encode() for each in _NOT_KNOWN_BEFORE)):
                out.write(line)
        complaint = reading.stderr.read().decode(errors="replace").strip()
    if reading.returncode != 0:
        raise Misconfigured(f"{file} is damaged: {_last(complaint)}. Nothing was changed.")


def _quoted(connection: psycopg.Connection[tuple[object, ...]], text: str) -> str:
    return sql.Literal(text).as_string(connection)


# --- running PostgreSQL's tools -------------------------------------------------------------------------


def _tool(name: str) -> str:
    own = binaries() / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise Misconfigured(f"{name} was not found. Install PostgreSQL's client programs, version 18.")
    return found


def _environment(url: URL | None) -> dict[str, str]:
    """The password goes here and not on the command line, which every user of the machine can read."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["LC_ALL"] = "C"
    if url is not None and url.password:
        environment["PGPASSWORD"] = str(url.password)
    return environment


@contextmanager
def _running(
    url: str, program: str, *arguments: str, is_fed: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """Run one of PostgreSQL's programs on this database; the list fills with what it complains of."""
    address = url_of(url)
    without_password = address.set(drivername="postgresql", password=None).render_as_string()
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603
        [_tool(program), *arguments, f"--dbname={without_password}"],
        stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if is_fed else subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(address),
    ) as running:
        listening = threading.Thread(target=_listen, args=(running, said), daemon=True)
        listening.start()
        try:
            yield running, said
        finally:
            if running.stdout is not None:
                running.stdout.close()
            if running.stdin is not None:
                with suppress(BrokenPipeError):  # it has stopped already; its words say why
                    running.stdin.close()
            running.wait()
            listening.join(timeout=5)


def _listen(running: subprocess.Popen[bytes], said: list[str]) -> None:
    assert running.stderr is not None
    for line in running.stderr:
        said.append(line.decode(errors="replace").rstrip())
        del said[:-20]


def _succeed(running: subprocess.Popen[bytes], said: list[str], program: str, url: str) -> None:
    if running.returncode != 0:
        told = _last("\n".join(said))
        address = url_of(url)
        if address.password:
            told = told.replace(str(address.password), "***")
        raise Misconfigured(f"{program} failed on {shown(address)}: {told}. Nothing was changed.")


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    complaints = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return (complaints or lines or ["it left no message"])[-1]


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    address = url_of(url)
    try:
        plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, connect_timeout=10) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise unreachable(address, error) from None
