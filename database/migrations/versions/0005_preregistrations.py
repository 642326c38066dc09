"""What a trial chose, where its equity is, and specs that were frozen.

A new database is made whole by revision 0001, which executes database/schema.sql as it is now: then nothing is left to
do here.
"""

from pathlib import Path

from alembic import context, op
from sqlalchemy import inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from backend.database.models.every import METADATA
from backend.database.sqlite_triggers import SQLITE_TRIGGERS

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

POSTGRES = Path(__file__).with_suffix(".sql")
_OLD = "backtest_id, strategy, universe, origin, n_returns, mean, std, skewness, kurtosis, created_at"


def upgrade() -> None:
    if _is_made_whole():
        return
    if op.get_context().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        op.execute(POSTGRES.read_text(encoding="utf-8"))


def _is_made_whole() -> bool:
    if context.is_offline_mode():
        return context.get_starting_revision_argument() is None
    return inspect(op.get_bind()).has_table("preregistrations")


def _upgrade_sqlite() -> None:
    """SQLite cannot change a check: the trials move into a new table, by whose drop the old triggers go as well."""
    op.execute("DROP INDEX ix_trials_strategy")
    op.execute("ALTER TABLE trials RENAME TO trials_before")
    for name in ("trials", "preregistrations", "preregistration_runs"):
        _create(name)
    op.execute(
        f"INSERT INTO trials ({_OLD}, design, equity_key, equity_column) "  # noqa: S608  our names
        f"SELECT {', '.join(f'old.{name}' for name in _OLD.split(', '))}, old.backtest_id, backtests.equity_key, "
        "CASE WHEN backtests.id IS NULL THEN NULL ELSE 'equity' END "
        "FROM trials_before AS old LEFT JOIN backtests ON backtests.id = old.backtest_id"
    )
    op.execute("DROP TABLE trials_before")
    for trigger in SQLITE_TRIGGERS:
        if "append-only" in trigger:
            op.execute(trigger)


def _create(name: str) -> None:
    table = METADATA.tables[name]
    op.execute(CreateTable(table))
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        op.execute(CreateIndex(index))
