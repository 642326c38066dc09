"""A stay in a universe that a later list no longer has can be withdrawn: it was never true, which no end date says.

A new database is made whole by revision 0001, which executes database/schema.sql as it is now: then nothing is left to
do here.
"""

from alembic import context, op
from sqlalchemy import inspect
from sqlalchemy.schema import CreateTable

from backend.database.models.every import METADATA

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OLD = "index_name, ticker, start_date, known_at, end_date"


def upgrade() -> None:
    if _is_made_whole():
        return
    if op.get_context().dialect.name != "sqlite":
        op.execute("ALTER TABLE index_constituents ADD COLUMN withdrawn boolean NOT NULL DEFAULT false")
        return
    # SQLite would put the column behind the constraints: the rows move into a table as the models have it.
    op.execute("ALTER TABLE index_constituents RENAME TO index_constituents_before")
    op.execute(CreateTable(METADATA.tables["index_constituents"]))
    op.execute(f"INSERT INTO index_constituents ({_OLD}) SELECT {_OLD} FROM index_constituents_before")  # noqa: S608
    op.execute("DROP TABLE index_constituents_before")


def _is_made_whole() -> bool:
    if context.is_offline_mode():
        return context.get_starting_revision_argument() is None
    columns = inspect(op.get_bind()).get_columns("index_constituents")
    return any(column["name"] == "withdrawn" for column in columns)
