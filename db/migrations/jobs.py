"""How do Procrastinate's tables come and go within our revisions?"""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

_DROP = """
DO $$
DECLARE thing record;
BEGIN
  FOR thing IN SELECT oid::regclass AS name FROM pg_class
    WHERE relname LIKE 'procrastinate\\_%' AND relkind = 'r' AND relnamespace = current_schema()::regnamespace
  LOOP EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', thing.name); END LOOP;
  FOR thing IN SELECT oid::regprocedure AS name FROM pg_proc
    WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = current_schema()::regnamespace
  LOOP EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', thing.name); END LOOP;
  FOR thing IN SELECT oid::regtype AS name FROM pg_type
    WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c')
      AND typnamespace = current_schema()::regnamespace
  LOOP EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', thing.name); END LOOP;
END $$
"""


def _run(script: str) -> None:
    # Many statements in one go, with percent signs: only the driver's own call takes them as they are.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(script)


def install() -> None:
    """Make the tables, types and functions of the installed Procrastinate."""
    _run(SchemaManager.get_schema())


def remove() -> None:
    """Drop them all, queued jobs included (rows say what the work is; jobs only that there is some)."""
    _run(_DROP)
