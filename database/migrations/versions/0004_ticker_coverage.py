"""How much is stored of a ticker is counted once after a run, instead of whenever somebody asks.

A new database is made whole by revision 0001, which executes database/schema.sql as it is now: then nothing is left to
do here.
"""

from alembic import context, op
from sqlalchemy import inspect
from sqlalchemy.schema import CreateTable

from backend.database.models.every import METADATA
from backend.database.sqlite_triggers import SQLITE_TRIGGERS

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COUNT = """
    INSERT INTO ticker_coverage (ticker, bars, suspect, bad, first_session, last_session, known_at)
    SELECT ticker, count(*), sum(CASE data_quality WHEN 'suspect' THEN 1 ELSE 0 END),
        sum(CASE data_quality WHEN 'bad' THEN 1 ELSE 0 END), min(date), max(date), max(known_at)
    FROM market_data GROUP BY ticker"""
_KEEP_SUPERSEDED_BAR = """
    CREATE OR REPLACE FUNCTION keep_superseded_bar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO market_data_history (ticker, date, known_at, superseded_at, open, high, low, close, volume,
                                     adjusted_close, source, data_quality, metadata)
    VALUES (OLD.ticker, OLD.date, OLD.known_at, CASE TG_OP WHEN 'UPDATE' THEN NEW.known_at ELSE now() END,
            OLD.open, OLD.high, OLD.low, OLD.close, OLD.volume,
            OLD.adjusted_close, OLD.source, OLD.data_quality, OLD.metadata);
    DELETE FROM ticker_coverage WHERE ticker = OLD.ticker;
    RETURN NULL;
END $$"""
_FORGET_COUNTS = """
    CREATE FUNCTION forget_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticker_coverage;
    RETURN NULL;
END $$"""
_EMPTIED = """
    CREATE TRIGGER market_data_emptied AFTER TRUNCATE ON market_data
    FOR EACH STATEMENT EXECUTE FUNCTION forget_counts()"""


def upgrade() -> None:
    if _is_made_whole():
        return
    op.execute(CreateTable(METADATA.tables["ticker_coverage"]))
    if op.get_context().dialect.name == "sqlite":
        _replace_triggers()
    else:
        for statement in (_KEEP_SUPERSEDED_BAR, _FORGET_COUNTS, _EMPTIED):
            op.execute(statement)
    op.execute(_COUNT)


def _replace_triggers() -> None:
    for name in ("market_data_restated", "market_data_removed"):
        op.execute(f"DROP TRIGGER {name}")
        op.execute(next(trigger for trigger in SQLITE_TRIGGERS if f"TRIGGER {name} " in trigger))


def _is_made_whole() -> bool:
    if context.is_offline_mode():
        return context.get_starting_revision_argument() is None
    return inspect(op.get_bind()).has_table("ticker_coverage")
