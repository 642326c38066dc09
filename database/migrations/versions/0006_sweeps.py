"""Sweeps, and their batches that are done.

A new database is made whole by revision 0001, which executes database/schema.sql as it is now: then nothing is left to
do here.
"""

from alembic import context, op
from sqlalchemy import inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from backend.database.models.every import METADATA

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if _is_made_whole():
        return
    for name in ("sweeps", "sweep_batches"):
        table = METADATA.tables[name]
        op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda it: str(it.name)):
            op.execute(CreateIndex(index))


def _is_made_whole() -> bool:
    if context.is_offline_mode():
        return context.get_starting_revision_argument() is None
    return inspect(op.get_bind()).has_table("sweeps")
