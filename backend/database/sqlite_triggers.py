"""What database/schema.sql does by trigger functions, in SQLite's words."""

from __future__ import annotations

# strftime has milliseconds; the stored form has six digits, as column_types.UtcDateTime writes it.
_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"

_KEEP_BAR = """
    INSERT INTO market_data_history (ticker, date, known_at, superseded_at, open, high, low, close, volume,
                                     adjusted_close, source, data_quality, metadata)
    VALUES (OLD.ticker, OLD.date, OLD.known_at, {superseded_at}, OLD.open, OLD.high, OLD.low, OLD.close,
            OLD.volume, OLD.adjusted_close, OLD.source, OLD.data_quality, OLD.metadata);
    DELETE FROM ticker_coverage WHERE ticker = OLD.ticker;
"""

SQLITE_TRIGGERS = (
    f"""
    CREATE TRIGGER market_data_restated AFTER UPDATE ON market_data FOR EACH ROW
    WHEN OLD.open IS NOT NEW.open OR OLD.high IS NOT NEW.high OR OLD.low IS NOT NEW.low
        OR OLD.close IS NOT NEW.close OR OLD.volume IS NOT NEW.volume OR OLD.data_quality IS NOT NEW.data_quality
    BEGIN {_KEEP_BAR.format(superseded_at="NEW.known_at")} END
    """,
    f"""
    CREATE TRIGGER market_data_removed AFTER DELETE ON market_data FOR EACH ROW
    BEGIN {_KEEP_BAR.format(superseded_at=_NOW)} END
    """,
    *(
        f"""
    CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
    """
        for table in ("trials", "preregistrations", "preregistration_runs")
        for verb in ("update", "delete")
    ),
)
