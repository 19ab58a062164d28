"""How does Alembic run our revisions? On the connection that `db.migrate` hands it; nothing else is read."""

from __future__ import annotations

from alembic import context

from db.migrations.scope import is_ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    include_name=is_ours,
    render_item=context.config.attributes.get("render_item"),
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
