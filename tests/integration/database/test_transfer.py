"""A whole SQLite database into PostgreSQL: complete, repeatable, resumable, verified, and honest about what is bad."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from backend.database.errors import DatabaseUnavailableError
from backend.database.migrations import migrate
from backend.database.transfer import BadRow, transfer
from backend.database.urls import direct_url
from support.full_database import TABLES as FACTS
from support.full_database import contents, fill

pytestmark = pytest.mark.postgres
TABLES = [table.name for table in FACTS]


@pytest.fixture
def source(sqlite_url: str) -> Path:
    """SQLite file with rows in every table."""
    fill(sqlite_url)
    return Path(str(direct_url(sqlite_url).database))


@pytest.fixture
def target(postgres_url: str) -> str:
    """PostgreSQL at the head revision, empty."""
    migrate(postgres_url)
    return postgres_url


def spoil(source: Path, *statements: str) -> None:
    """Write what no check would let pass."""
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
        connection.commit()


def execute(target: str, *statements: str) -> None:
    engine = create_engine(direct_url(target))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def scalar(target: str, query: str) -> object:
    engine = create_engine(direct_url(target))
    with engine.connect() as connection:
        found: object = connection.scalar(text(query))
    engine.dispose()
    return found


def files(source: Path) -> dict[str, str]:
    """Name and hash of the database and of its write-ahead log; its shared-memory index belongs to the readers."""
    kept = (path for path in source.parent.glob(f"{source.name}*") if path.suffix != ".db-shm")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept if path.stat().st_size}


def test_everything_arrives_as_it_was(source: Path, target: str) -> None:
    reports = transfer(source, target)
    assert contents(target) == contents(f"sqlite:///{source}")
    assert [report.table for report in reports] == TABLES
    for report in reports:
        assert report.written == report.source_rows == report.target_rows > 0
        assert (report.already_there, report.bad, report.is_verified) == (0, [], True)


def test_an_absent_json_value_is_null_in_sql_too(source: Path, target: str) -> None:
    transfer(source, target)
    assert scalar(target, "SELECT id FROM jobs WHERE result IS NULL") == "j1"


def test_the_move_writes_no_history_of_its_own(source: Path, target: str) -> None:
    # Two restatements and one removal, as the source had them: the triggers of the target had nothing to add.
    transfer(source, target)
    assert scalar(target, "SELECT count(*) FROM market_data_history") == 3


def test_the_target_gives_out_new_ids_behind_those_that_were_moved(source: Path, target: str) -> None:
    transfer(source, target)
    execute(
        target,
        "INSERT INTO ingest_failures (run_id, ticker, error_class, reason, payload) "
        "VALUES ('run1', 'A', 'TIMEOUT', 'late', '{}')",
    )
    # The largest id of the source is 41.
    assert scalar(target, "SELECT max(id) FROM ingest_failures") == 42


def test_counts_of_bars_are_the_targets_own(source: Path, target: str) -> None:
    # Neither what the source counted nor what was counted before the bars came.
    counted = """INSERT INTO ticker_coverage
        VALUES ('AAA', 99, 0, 0, '2024-01-05', '2024-01-05', '2024-01-08 22:00:00.000000')"""
    for url in (f"sqlite:///{source}", target):
        execute(url, counted)
    transfer(source, target)
    assert scalar(target, "SELECT count(*) FROM ticker_coverage") == 0


def test_a_second_run_writes_nothing(source: Path, target: str) -> None:
    first, second = transfer(source, target), transfer(source, target)
    assert all(report.written == 0 and report.already_there == report.source_rows for report in second)
    assert [report.checksum for report in second] == [report.checksum for report in first]
    assert all(report.is_verified for report in second)


class BrokenOffError(Exception):
    """Somebody pressed a key."""


class Key:
    """Is pressed when so many batches are done."""

    def __init__(self, n_batches: int) -> None:
        self.n_left = n_batches

    def __call__(self, *_: object) -> None:
        self.n_left -= 1
        if self.n_left == 0:
            raise BrokenOffError


def test_a_run_broken_off_after_any_batch_is_taken_up_again(source: Path, target: str) -> None:
    for n_batches in range(1, len(TABLES) + 4):
        with pytest.raises(BrokenOffError):
            transfer(source, target, batch_size=2, progress=Key(n_batches))
    reports = transfer(source, target, batch_size=2)
    assert contents(target) == contents(f"sqlite:///{source}")
    for report in reports:
        assert report.written + report.already_there == report.source_rows
        assert report.is_verified


def test_a_target_that_is_lost_on_the_way_is_told_and_the_run_taken_up_again(source: Path, target: str) -> None:
    def cut(table: str, _: int, __: int) -> None:
        if table == "market_data":
            query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
            scalar(target, f"{query} AND pid <> pg_backend_pid()")

    with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1"):
        transfer(source, target, progress=cut)
    assert all(report.is_verified for report in transfer(source, target))
    assert contents(target) == contents(f"sqlite:///{source}")


def test_the_source_is_only_read(source: Path, target: str) -> None:
    before = files(source)
    transfer(source, target)
    assert files(source) == before


def test_what_is_still_in_the_write_ahead_log_is_moved_and_left_there(source: Path, target: str) -> None:
    with closing(sqlite3.connect(source)) as writer:
        assert writer.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        writer.execute("UPDATE trades SET notes = 'in the log' WHERE id = 't0'")
        writer.commit()
        before = files(source)
        assert f"{source.name}-wal" in before
        transfer(source, target)
        assert files(source) == before
    assert scalar(target, "SELECT notes FROM trades WHERE id = 't0'") == "in the log"


#: What spoils the source, the table and a part of the key of the row that is then bad, and a part of the reason.
BAD_ROWS = {
    "a check": (
        "UPDATE market_data SET high = 0.1 WHERE ticker = 'B''B' AND date = '2024-01-06'",
        "market_data",
        "ticker=B'B, date=2024-01-06",
        "ck_market_data_",
    ),
    "a check where a moment is in the key": (
        "UPDATE corporate_actions SET value = -1 WHERE value = 2",
        "corporate_actions",
        "known_at=2024-01-08",
        "ck_corporate_actions_value",
    ),
    "text for a number": (
        "UPDATE trades SET quantity = 'many' WHERE id = 't1'",
        "trades",
        "id=t1",
        "quantity='many': is no finite number",
    ),
    "an infinite number": (
        "UPDATE trades SET fees = 9e999 WHERE id = 't1'",
        "trades",
        "id=t1",
        "fees=inf: is no finite",
    ),
    "a NUL character": ("UPDATE trades SET notes = char(0) WHERE id = 't2'", "trades", "id=t2", "a NUL character"),
    "text that is not UTF-8": (
        "UPDATE trades SET notes = CAST(x'61ff' AS TEXT) WHERE id = 't2'",
        "trades",
        "id=t2",
        "notes=b'a\\xff': is no text",
    ),
    "a day that is none": (
        "UPDATE trades SET entry_date = '2024-02-30' WHERE id = 't3'",
        "trades",
        "id=t3",
        "entry_date='2024-02-30'",
    ),
    "a moment that is none": ("UPDATE leases SET expires_at = 'soon'", "leases", "ingest:U", "expires_at='soon'"),
    "JSON that is none": ("UPDATE backtests SET spec = '{' WHERE id = 'b1'", "backtests", "id=b1", "spec='{'"),
    "JSON that PostgreSQL cannot hold": (
        """UPDATE backtests SET spec = '{"a": "\\u0000"}' WHERE id = 'b1'""",
        "backtests",
        "id=b1",
        "unsupported Unicode escape sequence",
    ),
    "a whole number too large": (
        "UPDATE jobs SET attempts = 3000000000 WHERE id = 'j1'",
        "jobs",
        "id=j1",
        "integer out of range",
    ),
    "half a whole number": (
        "UPDATE jobs SET attempts = 1.5 WHERE id = 'j1'",
        "jobs",
        "id=j1",
        "attempts=1.5: is no whole number",
    ),
    "an orphan": (
        "UPDATE ingest_failures SET run_id = 'nobody' WHERE id = 3",
        "ingest_failures",
        "id=3",
        "foreign key",
    ),
}


@pytest.mark.parametrize(("statement", "table", "key", "reason"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_named_with_its_reason_and_the_rest_goes_on(
    source: Path, target: str, statement: str, table: str, key: str, reason: str
) -> None:
    spoil(source, statement)
    reports = transfer(source, target)
    ((found,),) = [report.bad for report in reports if report.bad]
    assert isinstance(found, BadRow)
    assert found.table == table
    assert key in found.key
    assert reason in found.reason
    for report in reports:
        assert report.written == report.target_rows == report.source_rows - len(report.bad)
        # Verified means: all but the bad rows are there, equal to the bit.
        assert report.is_verified


def test_rows_of_a_bad_parent_are_bad_themselves(source: Path, target: str) -> None:
    spoil(source, "UPDATE ingest_runs SET status = 'lost' WHERE id = 'run1'")
    bad = [(row.table, row.key) for report in transfer(source, target) for row in report.bad]
    assert bad == [("ingest_runs", "id=run1"), ("ingest_failures", "id=3")]


def test_every_bad_row_of_a_batch_is_found(source: Path, target: str) -> None:
    spoil(source, "UPDATE trades SET quantity = -1 WHERE id IN ('t0', 't2', 't3')")
    (report,) = (report for report in transfer(source, target) if report.table == "trades")
    assert [row.key for row in report.bad] == ["id=t0", "id=t2", "id=t3"]
    assert (report.written, report.is_verified) == (2, True)


def test_a_row_mended_at_the_source_is_moved_by_the_next_run(source: Path, target: str) -> None:
    spoil(source, "UPDATE trades SET quantity = -1 WHERE id = 't0'")
    transfer(source, target)
    spoil(source, "UPDATE trades SET quantity = 1 WHERE id = 't0'")
    assert sum(report.written for report in transfer(source, target)) == 1
    assert contents(target) == contents(f"sqlite:///{source}")


def test_another_row_under_the_same_key_is_left_alone_and_told(source: Path, target: str) -> None:
    transfer(source, target)
    execute(target, "UPDATE trades SET notes = 'mine', fees = 1 WHERE id = 't0'")
    bad = [row for report in transfer(source, target) for row in report.bad]
    assert [(row.key, row.reason.partition(": ")[2]) for row in bad] == [("id=t0", "fees, notes differ")]
    assert scalar(target, "SELECT notes FROM trades WHERE id = 't0'") == "mine"


@pytest.mark.parametrize("change", ["RETURN NULL;", "NEW.notes := 'changed'; RETURN NEW;"])
def test_a_row_that_the_target_lost_or_changed_in_silence_is_noticed(source: Path, target: str, change: str) -> None:
    # A trigger of somebody else's that swallows the trade, or changes it.
    execute(
        target,
        f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {change} END $$",
        "CREATE TRIGGER meddle BEFORE INSERT ON trades FOR EACH ROW EXECUTE FUNCTION meddle()",
    )
    unverified = [report.table for report in transfer(source, target) if not report.is_verified]
    assert unverified == ["trades"]
