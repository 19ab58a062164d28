"""How does a database get the schema this program expects?"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, func, pool, select
from sqlalchemy.exc import DBAPIError

from bot.errors import Misconfigured
from db.engine import options_of, sqlstate_of, unreachable, url_of

_MIGRATE_LOCK = 7_260_150
_LOCK_TIMEOUT = "15s"
_LOCK_NOT_AVAILABLE = "55P03"


def configuration(connection: Connection) -> Config:
    """Alembic, told where the revisions are and which connection to use."""
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(url: str, *, to: str = "head") -> None:
    """Bring the database at `url` to the newest schema (or `to` an older revision, `base` for none).

    One transaction: all or nothing. Any number of processes may call it at once; one does the work and
    the others wait for it.

    Raises:
        Misconfigured: the database cannot be reached, is newer than this program, or is in use by a
            transaction that does not end.
    """
    address = url_of(url)
    engine = create_engine(
        address,
        poolclass=pool.NullPool,
        connect_args={
            "options": options_of(address, statement_timeout="0"),
            "application_name": "yorisoi migrate",
            "connect_timeout": 10,
        },
    )
    try:
        with engine.begin() as connection:
            connection.execute(select(func.set_config("lock_timeout", "0", True)))
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATE_LOCK)))
            connection.execute(select(func.set_config("lock_timeout", _LOCK_TIMEOUT, True)))
            config = configuration(connection)
            if to == "head":
                command.upgrade(config, to)
            else:
                command.downgrade(config, to)
    except CommandError as error:
        raise Misconfigured(
            f"The database was made by a newer version of Yorisoi ({error}). Install that version or a newer"
            " one, or restore a backup made by this one."
        ) from None
    except DBAPIError as error:
        if sqlstate_of(error) == _LOCK_NOT_AVAILABLE:
            raise Misconfigured(
                "The database's tables are in use by a transaction that does not end, so the schema cannot be"
                " changed now. Stop the other processes of Yorisoi (or end that transaction), then run"
                " `yorisoi migrate` again. Nothing was changed."
            ) from None
        if sqlstate_of(error) is None or (sqlstate_of(error) or "").startswith(("08", "28", "3D", "57")):
            raise unreachable(address, error) from None
        raise
    finally:
        engine.dispose()
