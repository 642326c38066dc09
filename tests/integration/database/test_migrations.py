"""Migrations: repeatable, one at a time, all or nothing, and printable."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from backend.database.errors import DatabaseUnavailableError, MigrationError
from backend.database.migrations import current_revision, head_revision, migrate, pending_sql
from backend.database.models import Base
from backend.database.urls import direct_url
from support.catalog import catalog, empty
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
    insert = """INSERT INTO trials (backtest_id, strategy, universe, origin, n_returns, created_at)
                VALUES ('b', 's', 'u', 'cli', 1, '2024-01-01 00:00:00.000000')"""
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


@pytest.mark.parametrize("table", [Base.metadata.sorted_tables[0].name, Base.metadata.sorted_tables[-1].name])
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
