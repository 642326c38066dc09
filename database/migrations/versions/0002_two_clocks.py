"""Instruments with ids of their own, versions of universes, more kinds of actions, factors, and verdicts in history.

A new database is made whole by revision 0001, which executes database/schema.sql as it is now: then nothing is left to
do here.
"""

from pathlib import Path

from alembic import context, op
from sqlalchemy import inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from backend.database.models.every import METADATA

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

POSTGRES = Path(__file__).with_suffix(".sql")

#: The trigger as it was then: later revisions replace it.
_KEEP_RESTATED = """
    CREATE TRIGGER market_data_restated AFTER UPDATE ON market_data FOR EACH ROW
    WHEN OLD.open IS NOT NEW.open OR OLD.high IS NOT NEW.high OR OLD.low IS NOT NEW.low
        OR OLD.close IS NOT NEW.close OR OLD.volume IS NOT NEW.volume OR OLD.data_quality IS NOT NEW.data_quality
    BEGIN
        INSERT INTO market_data_history (ticker, date, known_at, superseded_at, open, high, low, close, volume,
                                         adjusted_close, source, data_quality, metadata)
        VALUES (OLD.ticker, OLD.date, OLD.known_at, NEW.known_at, OLD.open, OLD.high, OLD.low, OLD.close,
                OLD.volume, OLD.adjusted_close, OLD.source, OLD.data_quality, OLD.metadata);
    END"""
#: What an instrument is, of which only bars and memberships are known so far.
_FILL_INSTRUMENTS = """
    INSERT INTO instruments (id, symbol, kind, currency, calendar, known_at)
    SELECT member.ticker, member.ticker, 'equity', universes.currency, universes.calendar, member.known_at
    FROM (SELECT ticker, min(index_name) AS key, min(known_at) AS known_at FROM index_constituents GROUP BY ticker)
        AS member
    JOIN universes ON universes.key = member.key
"""


def upgrade() -> None:
    if _is_made_whole():
        return
    if op.get_context().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        op.execute(POSTGRES.read_text(encoding="utf-8"))
    op.execute(_FILL_INSTRUMENTS)


def _is_made_whole() -> bool:
    if context.is_offline_mode():
        return context.get_starting_revision_argument() is None
    return inspect(op.get_bind()).has_table("instruments")


def _upgrade_sqlite() -> None:
    moment = "strftime('%Y-%m-%d %H:%M:%f', created_at) || '000'"
    _rebuild("universes", {"known_at": moment, "kind": "'equity'", "list_date": "NULL"})
    _rebuild("corporate_actions", {"new_symbol": "NULL"})
    for name in ("instruments", "factors"):
        _create(name)
    op.execute("DROP TRIGGER market_data_restated")
    op.execute(_KEEP_RESTATED)


def _rebuild(name: str, added: dict[str, str]) -> None:
    """SQLite cannot change a key or a check: the rows move into a new table, new columns as SQL expressions of old."""
    columns = [column.name for column in METADATA.tables[name].columns]
    values = ", ".join(added.get(column, column) for column in columns)
    op.execute(f"ALTER TABLE {name} RENAME TO {name}_before")
    _create(name)
    op.execute(f"INSERT INTO {name} ({', '.join(columns)}) SELECT {values} FROM {name}_before")  # noqa: S608  our names
    op.execute(f"DROP TABLE {name}_before")


def _create(name: str) -> None:
    table = METADATA.tables[name]
    op.execute(CreateTable(table))
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        op.execute(CreateIndex(index))
