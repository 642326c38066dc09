"""Alembic environment: one synchronous connection, handed over by backend.database.migrations."""

from alembic import context

from backend.database.models.every import METADATA

if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.attributes["dialect"],
        # The driver's own style would print every "%" twice.
        dialect_opts={"paramstyle": "named"},
        target_metadata=METADATA,
        literal_binds=True,
    )
else:
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
