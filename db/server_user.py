"""As which system user does the embedded PostgreSQL run, and does that user reach its files?

PostgreSQL refuses to run as root. Started by root it runs as the owner of the data folder or, when that is
root, as the system user `pgserver`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.errors import Misconfigured

log = structlog.get_logger()

SYSTEM_USER = "pgserver"


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Who runs the server's programs. `uid` None: we ourselves."""

    uid: int | None = None
    gid: int | None = None
    name: str = ""

    def identity(self) -> dict[str, Any]:
        """Arguments of `subprocess.run` that make the program run as this user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make a file or folder of ours theirs."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_user(data_dir: Path, cluster: Path) -> ServerUser:
    """Find out who runs the server on `cluster`, a folder in `data_dir`; either may not exist yet.

    Raises:
        Misconfigured: the folder belongs to somebody else.
    """
    existing = cluster if cluster.exists() else data_dir if data_dir.exists() else None
    owner = existing.stat().st_uid if existing else os.geteuid()
    if os.geteuid() != 0:
        if owner != os.geteuid():
            raise Misconfigured(
                f"The data folder {existing} belongs to the user {_name_of(owner)}, not to you. Run Yorisoi"
                f" as {_name_of(owner)} (or root), or set YORISOI_DATA_DIR to a folder of your own."
            )
        return ServerUser()
    if owner == 0 and cluster.exists():
        raise Misconfigured(
            f"The data folder {cluster} belongs to root, and PostgreSQL refuses to run as root."
            f" Run: chown -R {SYSTEM_USER}: {cluster}"
        )
    entry = _system_user() if owner == 0 else pwd.getpwuid(owner)
    return ServerUser(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)


def open_way(user: ServerUser, folder: Path) -> None:
    """Let the server's user pass through every parent of `folder`, and nothing more than pass.

    Only folders closed to that user are touched; each is named in a warning.
    """
    if user.uid is None:
        return
    opened = []
    for parent in folder.parents:
        status = parent.stat()
        if status.st_uid == user.uid:
            needed = stat.S_IXUSR
        elif status.st_gid == user.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            parent.chmod(stat.S_IMODE(status.st_mode) | needed)
            opened.append(
                f"{parent} ({stat.S_IMODE(status.st_mode):04o} -> {parent.stat().st_mode & 0o7777:04o})"
            )
    if opened:
        log.warning(
            "embedded.folders_opened",
            folders=opened,
            because=f"PostgreSQL runs as the user {user.name} and has to pass through them; nobody can list"
            " them. To avoid this, set YORISOI_DATA_DIR to a folder that everybody can reach, or do not run"
            " as root.",
        )


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    program = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    if program is None:
        raise Misconfigured(
            f"PostgreSQL refuses to run as root, and the system user {SYSTEM_USER} cannot be made here (no"
            f" useradd). Create it, run Yorisoi as an ordinary user, or set DATABASE_URL."
        )
    made = subprocess.run(  # noqa: S603
        [
            program,
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            SYSTEM_USER,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise Misconfigured(
            f"The system user {SYSTEM_USER} could not be made: {made.stderr.strip()}. Create it, run Yorisoi"
            " as an ordinary user, or set DATABASE_URL."
        ) from None
    if made.returncode == 0:
        log.warning("embedded.user_made", user=SYSTEM_USER, because="PostgreSQL refuses to run as root")
    return entry


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
