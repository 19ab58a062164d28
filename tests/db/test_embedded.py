"""Is the embedded server shared, stopped by the last who leaves, and never lost: for root and for others?"""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.errors import Misconfigured
from db.embedded import Embedded, start

HERE = Path(__file__).parents[2]
USER = """
import sys, os, time
from pathlib import Path
import db.embedded, psycopg, tempfile, encodings.idna
if len(sys.argv) > 2:
    import pwd
    who = pwd.getpwnam(sys.argv[2]); os.setgroups([]); os.setgid(who.pw_gid); os.setuid(who.pw_uid)
server = db.embedded.start(Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.readline()
server.stop()
"""
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ye", dir="/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name) / "data"


def user_of(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Another process that uses the folder until a line is written to it."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
        env={name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"},
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def is_running(folder: Path) -> bool:
    return (folder / "pg" / "postmaster.pid").exists()


def ask(server: Embedded, query: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def test_it_starts_keeps_what_was_stored_and_stops(folder: Path) -> None:
    server = start(folder)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    server.stop()
    assert not is_running(folder)
    server = start(folder)
    assert ask(server, "SELECT n FROM kept") == 7
    assert ask(server, "SHOW fsync") == "on"
    assert ask(server, "SHOW listen_addresses") == ""
    server.stop()


def test_nobody_else_can_enter_the_folder(folder: Path) -> None:
    server = start(folder)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "pg")}
    server.stop()
    assert set(modes.values()) == {0o700}


def test_several_users_share_one_server_and_the_last_to_leave_stops_it(folder: Path) -> None:
    first = start(folder)
    backend = ask(first, "SELECT pg_postmaster_start_time()")
    other = user_of(folder)
    second = start(folder)
    assert ask(second, "SELECT pg_postmaster_start_time()") == backend
    first.stop()
    second.stop()
    assert is_running(folder)
    _, said = other.communicate("leave\n")
    assert (other.returncode, said) == (0, "")
    assert not is_running(folder)


def test_a_killed_user_leaves_no_server_behind_for_ever(folder: Path) -> None:
    other = user_of(folder)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    assert is_running(folder)
    start(folder).stop()
    assert not is_running(folder)


def test_after_a_kill_of_everything_the_data_is_recovered(folder: Path) -> None:
    other = user_of(folder)
    server = start(folder)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    postmaster = int((folder / "pg" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    other.kill()
    other.communicate()
    again = start(folder)
    assert ask(again, "SELECT n FROM kept") == 7
    again.stop()
    server.stop()
    assert not is_running(folder)


def test_a_process_id_that_is_another_program_now_does_not_keep_it_from_starting(folder: Path) -> None:
    start(folder).stop()
    named = folder / "pg" / "postmaster.pid"
    named.write_text(
        f"{os.getppid()}\n{folder / 'pg'}\n{int(time.time())}\n5432\n{folder / 'pg'}\n\n1 1\nready\n"
    )
    server = start(folder)
    assert ask(server, "SELECT 1") == 1
    server.stop()


def test_a_folder_whose_making_was_cut_short_is_made_again(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    (folder / "pg.new").mkdir()
    (folder / "pg.new" / "PG_VERSION").write_text("18\n")
    server = start(folder)
    assert ask(server, "SELECT 1") == 1
    server.stop()


def test_another_major_version_is_refused_and_left_as_it_is(folder: Path) -> None:
    start(folder).stop()
    (folder / "pg" / "PG_VERSION").write_text("16\n")
    with pytest.raises(Misconfigured, match=r"PostgreSQL 16.*backup"):
        start(folder)
    assert (folder / "pg" / "PG_VERSION").read_text() == "16\n"


def test_a_path_too_long_for_a_socket_is_refused_with_what_to_set(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="YORISOI_DATA_DIR"):
        start(folder / ("x" * 90))
    assert not folder.exists()


def test_a_folder_of_something_else_is_left_alone(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    (folder / "pg").mkdir()
    (folder / "pg" / "diary.txt").write_text("dear diary")
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(folder / "pg", user.pw_uid, user.pw_gid)
    with pytest.raises(Misconfigured, match="not empty"):
        start(folder)
    assert (folder / "pg" / "diary.txt").read_text() == "dear diary"


@is_root
def test_root_opens_closed_parents_only_for_passing_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed, listed = folder.parent / "closed", folder.parent / "closed" / "listed"
    closed.mkdir(mode=0o700)
    listed.mkdir(mode=0o755)
    server = start(listed / "data")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701
    assert stat.S_IMODE(listed.stat().st_mode) == 0o755
    assert f"{closed} (0700 -> 0701)" in capsys.readouterr().err
    assert ask(server, "SELECT 1") == 1
    server.stop()


@is_root
def test_an_ordinary_user_runs_it_as_themselves_and_strangers_are_told_whose_it_is(folder: Path) -> None:
    user = pwd.getpwnam("nobody")
    os.chown(folder.parent, user.pw_uid, user.pw_gid)
    other = user_of(folder, "nobody")
    assert (folder / "pg").stat().st_uid == user.pw_uid
    shared = start(folder)
    assert ask(shared, "SELECT 1") == 1
    shared.stop()
    assert is_running(folder)
    other.communicate("leave\n")
    assert not is_running(folder)
    stranger = subprocess.run(
        [sys.executable, "-c", USER, str(folder), "daemon"],
        check=False, capture_output=True, text=True, cwd=HERE, input="\n",
    )  # fmt: skip
    assert stranger.returncode != 0
    assert "Misconfigured" in stranger.stderr
