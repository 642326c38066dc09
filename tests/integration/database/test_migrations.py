"""Migrations: repeatable, one at a time, all or nothing, and printable."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, create_engine, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

import support
from backend.database.errors import DatabaseUnavailableError, MigrationError
from backend.database.migrations import current_revision, head_revision, migrate, pending_sql
from backend.database.models.every import METADATA
from backend.database.models.market import Bar, CorporateAction, Instrument, SupersededBar, TickerCoverage, Universe
from backend.database.models.results import Trial
from backend.database.urls import direct_url
from support.catalog import catalog, empty, triggers
from support.postgres import free_port


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(direct_url(database_url))
    yield made
    made.dispose()


def executed(engine: Engine, script: str) -> None:
    """Run a script as psql or sqlite3 would."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(engine.url.database))) as connection:
            connection.executescript(script)
        return
    with closing(engine.raw_connection()) as driver:
        driver.cursor().execute(script)
        driver.commit()


def test_an_empty_database_has_no_revision(database_url: str) -> None:
    assert current_revision(database_url) is None


def test_migrating_tells_the_revision_before_and_after(database_url: str) -> None:
    assert migrate(database_url) == (None, head_revision())
    assert current_revision(database_url) == head_revision()


def test_migrating_again_changes_nothing(database_url: str, engine: Engine) -> None:
    migrate(database_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO idempotency_keys (key, request_hash) VALUES ('k', 'h')"))
    before = catalog(database_url)
    assert migrate(database_url) == (head_revision(), head_revision())
    assert catalog(database_url) == before
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM idempotency_keys")) == 1


def test_nothing_is_pending_once_migrated(database_url: str) -> None:
    migrate(database_url)
    assert pending_sql(database_url) == ""


def test_printing_what_is_pending_changes_nothing(database_url: str, engine: Engine) -> None:
    assert "CREATE TABLE market_data" in pending_sql(database_url)
    assert inspect(engine).get_table_names() == []


def test_what_is_pending_can_be_executed_as_it_is_printed(database_url: str, engine: Engine) -> None:
    script = pending_sql(database_url)
    migrate(database_url)
    migrated = catalog(database_url)
    empty(database_url)
    executed(engine, script)
    assert catalog(database_url) == migrated
    assert current_revision(database_url) == head_revision()


def test_triggers_made_by_the_printed_sql_work(database_url: str, engine: Engine) -> None:
    executed(engine, pending_sql(database_url))
    insert = """INSERT INTO trials (backtest_id, design, strategy, universe, origin, n_returns, created_at)
                VALUES ('b', 'd', 's', 'u', 'cli', 1, '2024-01-01 00:00:00.000000')"""
    with engine.begin() as connection:
        connection.execute(text(insert))
    with pytest.raises(DBAPIError, match="trials is append-only"), engine.begin() as connection:
        connection.execute(text("DELETE FROM trials"))


def test_of_several_migrators_at_once_one_migrates_and_the_others_find_nothing(database_url: str) -> None:
    n_migrators = 4
    barrier = Barrier(n_migrators)

    def migrate_together() -> tuple[str | None, str]:
        barrier.wait(timeout=10)
        return migrate(database_url)

    with ThreadPoolExecutor(n_migrators) as threads:
        done = [threads.submit(migrate_together) for _ in range(n_migrators)]
        outcomes = [future.result(timeout=30) for future in done]
    assert sorted(before or "" for before, _ in outcomes) == ["", *[head_revision()] * (n_migrators - 1)]
    assert {after for _, after in outcomes} == {head_revision()}


@pytest.mark.parametrize("table", [METADATA.sorted_tables[0].name, METADATA.sorted_tables[-1].name])
def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, engine: Engine, table: str) -> None:
    # A table of somebody else under a name of ours: the first or the last that is made.
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {table} (theirs integer)"))
    with pytest.raises(MigrationError, match=rf"{table}\W+already exists.*nothing was changed"):
        migrate(database_url)
    assert inspect(engine).get_table_names() == [table]
    assert current_revision(database_url) is None


def test_after_a_failure_is_mended_the_migration_goes_through(database_url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE jobs (theirs integer)"))
    with pytest.raises(MigrationError):
        migrate(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE jobs"))
    assert migrate(database_url) == (None, head_revision())


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to have a header of one " * 20)
    for call in (migrate, current_revision, pending_sql):
        with pytest.raises(MigrationError, match=r"notes\.txt.*file is not a database"):
            call(f"sqlite:///{file}")


@pytest.mark.parametrize("call", [migrate, current_revision, pending_sql])
def test_a_database_that_is_down_is_told_by_its_host(call: object) -> None:
    assert callable(call)
    with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1 does not answer") as caught:
        call(f"postgresql://u:very-secret@127.0.0.1:{free_port()}/db")
    assert "very-secret" not in str(caught.value)


def our_catalog(url: str) -> dict[str, str]:
    """The description without Alembic's own table, triggers included."""
    return {name: text for name, text in catalog(url).items() if "alembic_version" not in name} | triggers(url)


def old_database(engine: Engine) -> None:
    """A database as revision 0001 left it, with a row in every table that revision 0002 touches."""
    name = "schema_0001.sql" if engine.dialect.name == "postgresql" else "schema_0001_sqlite.sql"
    executed(engine, (Path(support.__file__).parent / name).read_text(encoding="utf-8"))
    revision = "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"
    executed(engine, f"CREATE TABLE alembic_version ({revision})")
    executed(
        engine,
        """
        INSERT INTO alembic_version VALUES ('0001');
        INSERT INTO universes (key, name, currency, calendar, source, source_options, created_at)
        VALUES ('U', 'Mine', 'AUD', 'XASX', 'files', '{"path": "x.csv"}', '2024-01-08 22:00:00');
        INSERT INTO index_constituents VALUES ('U', 'BHP', '2024-01-02', '2024-01-08 22:00:00.000000', NULL);
        INSERT INTO corporate_actions VALUES ('BHP', '2024-01-03', 'split', '2024-01-08 22:00:00.000000', 2.0, 'files');
        INSERT INTO market_data (ticker, date, close, source, metadata, known_at)
        VALUES ('BHP', '2024-01-02', 40.0, 'files', '{}', '2024-01-08 22:00:00.000000');
        INSERT INTO backtests VALUES ('b1', '{}', '{}', 'objects/e', 'o', 'h', '2024-01-08 22:00:00.000000');
        INSERT INTO trials VALUES ('b1', 's', 'U', 'cli', 2, 0.1, 0.2, NULL, NULL, '2024-01-08 22:00:00.000000');
        INSERT INTO trials VALUES ('b2', 's', 'U', 'sweep', 2, 0.1, 0.2, NULL, NULL, '2024-01-08 22:00:00.000000');
        """,
    )


def test_an_older_database_becomes_what_a_new_one_is(database_url: str, engine: Engine) -> None:
    migrate(database_url)
    new = our_catalog(database_url)
    empty(database_url)
    old_database(engine)
    assert migrate(database_url) == ("0001", head_revision())
    assert our_catalog(database_url) == new


def test_an_older_database_keeps_every_fact(database_url: str, engine: Engine) -> None:
    old_database(engine)
    migrate(database_url)
    moment = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
    with engine.connect() as connection:
        universe = connection.execute(select(Universe.__table__)).one()._mapping
        instrument = connection.execute(select(Instrument.__table__)).one()._mapping
        action = connection.execute(select(CorporateAction.__table__)).one()._mapping
        assert connection.scalar(select(Bar.close)) == 40.0
    assert universe["known_at"] == moment
    assert (universe["key"], universe["kind"], universe["source_options"]) == ("U", "equity", {"path": "x.csv"})
    assert (instrument["id"], instrument["symbol"], instrument["currency"]) == ("BHP", "BHP", "AUD")
    assert (instrument["known_at"], instrument["start_date"]) == (moment, None)
    assert (action["value"], action["new_symbol"], action["known_at"]) == (2.0, None, moment)


def test_what_an_older_database_has_is_counted(database_url: str, engine: Engine) -> None:
    old_database(engine)
    executed(
        engine,
        """
        INSERT INTO market_data (ticker, date, close, source, metadata, known_at, data_quality)
        VALUES ('BHP', '2024-01-03', 41.0, 'files', '{}', '2024-01-09 22:00:00.000000', 'bad'),
            ('BHP', '2024-01-04', 42.0, 'files', '{}', '2024-01-08 22:00:00.000000', 'suspect');
        """,
    )
    migrate(database_url)
    with engine.connect() as connection:
        counted = dict(connection.execute(select(TickerCoverage.__table__)).one()._mapping)
    assert counted == {
        "ticker": "BHP",
        "bars": 3,
        "suspect": 1,
        "bad": 1,
        "first_session": dt.date(2024, 1, 2),
        "last_session": dt.date(2024, 1, 4),
        "known_at": dt.datetime(2024, 1, 9, 22, tzinfo=dt.UTC),
    }


def test_an_older_ledger_keeps_every_trial_and_stays_append_only(database_url: str, engine: Engine) -> None:
    old_database(engine)
    migrate(database_url)
    columns = (Trial.backtest_id, Trial.design, Trial.mean, Trial.equity_key, Trial.equity_column)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(select(*columns).order_by(Trial.backtest_id))]
    assert rows == [("b1", "b1", 0.1, "objects/e", "equity"), ("b2", "b2", 0.1, None, None)]
    for statement in ("UPDATE trials SET mean = 9", "DELETE FROM trials"):
        with pytest.raises(DBAPIError, match="trials is append-only"), engine.begin() as connection:
            connection.execute(text(statement))


def test_a_changed_verdict_is_history_after_the_upgrade(database_url: str, engine: Engine) -> None:
    old_database(engine)
    migrate(database_url)
    later = dt.datetime(2024, 1, 9, 22, tzinfo=dt.UTC)
    with engine.begin() as connection:
        connection.execute(update(Bar).values(data_quality="suspect", known_at=later))
        assert connection.scalar(select(SupersededBar.data_quality)) == "good"


def test_the_printed_upgrade_of_an_older_database_is_the_upgrade(database_url: str, engine: Engine) -> None:
    old_database(engine)
    script = pending_sql(database_url)
    executed(engine, script)
    upgraded = our_catalog(database_url)
    assert current_revision(database_url) == head_revision()
    empty(database_url)
    migrate(database_url)
    assert our_catalog(database_url) == upgraded
