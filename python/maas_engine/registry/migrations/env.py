"""What Alembic runs: the revisions, on the connection and in the transaction that `upgrade` hands over."""

from __future__ import annotations

from alembic import context

from maas_engine.registry._tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
