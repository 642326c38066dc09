"""The whole schema: database/schema.sql on PostgreSQL, the models on SQLite."""

from pathlib import Path

from alembic import context, op
from sqlalchemy.schema import CreateIndex, CreateTable

from backend.database.models.every import METADATA
from backend.database.sqlite_triggers import SQLITE_TRIGGERS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = Path(__file__).resolve().parents[2] / "schema.sql"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _create_on_sqlite()
    elif context.is_offline_mode():
        op.execute(SCHEMA.read_text(encoding="utf-8"))
    else:
        # The driver takes the many statements as one query, and reads "%" as the start of a parameter.
        op.get_bind().exec_driver_sql(SCHEMA.read_text(encoding="utf-8").replace("%", "%%"))


def _create_on_sqlite() -> None:
    for table in METADATA.sorted_tables:
        op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            op.execute(CreateIndex(index))
    for trigger in SQLITE_TRIGGERS:
        op.execute(trigger)
