"""scripts/migrate_sqlite_to_neon.py: what a person sees, and its exit codes; the move itself is tested beside it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backend.database.migrations import migrate
from backend.database.urls import direct_url
from support.full_database import TABLES as FACTS
from support.full_database import contents, fill
from support.postgres import free_port
from support.scripts import run_script

pytestmark = pytest.mark.postgres
SCRIPT = "migrate_sqlite_to_neon.py"
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


def test_the_script_moves_everything_and_tells_each_table(source: Path, target: str) -> None:
    done = run_script(SCRIPT, "--source", source, NEON_DATABASE_URL=target)
    assert done.returncode == 0, done.stderr
    assert all(table in done.stdout for table in TABLES)
    assert contents(target) == contents(f"sqlite:///{source}")
    again = run_script(SCRIPT, "--source", source, "--json", "--target", target)
    assert again.returncode == 0, again.stderr
    assert {report["table"]: report["written"] for report in json.loads(again.stdout)} == dict.fromkeys(TABLES, 0)


def test_the_script_names_bad_rows_and_says_that_something_is_missing(source: Path, target: str) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE trades SET quantity = 'many' WHERE id = 't1'")
        connection.commit()
    done = run_script(SCRIPT, "--source", source, NEON_DATABASE_URL=target)
    assert done.returncode == 1
    assert "bad row in trades: id=t1: quantity='many': is no finite number" in done.stdout


def test_a_target_that_is_behind_is_refused_with_the_remedy(source: Path, postgres_url: str) -> None:
    done = run_script(SCRIPT, "--source", source, NEON_DATABASE_URL=postgres_url)
    assert done.returncode == 2
    assert "scripts/migrate_db.py" in done.stderr


def test_a_target_that_is_not_postgresql_is_refused_with_the_remedy(source: Path) -> None:
    done = run_script(SCRIPT, "--source", source, DATABASE_URL=f"sqlite:///{source.parent / 'other.db'}")
    assert done.returncode == 2
    assert "NEON_DATABASE_URL" in done.stderr


def test_a_source_that_is_not_there_is_refused_with_the_remedy(tmp_path: Path, target: str) -> None:
    done = run_script(SCRIPT, "--source", tmp_path / "nowhere.db", NEON_DATABASE_URL=target)
    assert done.returncode == 2
    assert "--source" in done.stderr
    assert not (tmp_path / "nowhere.db").exists()


def test_a_source_that_is_no_database_is_refused(tmp_path: Path, target: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to have the header of one " * 20)
    done = run_script(SCRIPT, "--source", file, NEON_DATABASE_URL=target)
    assert done.returncode == 2
    assert "is not a SQLite database" in done.stderr


@pytest.mark.parametrize("statement", ["DROP TABLE jobs", "ALTER TABLE jobs DROP COLUMN result"])
def test_a_source_of_another_schema_is_refused_with_the_remedy(source: Path, target: str, statement: str) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute(statement)
    done = run_script(SCRIPT, "--source", source, NEON_DATABASE_URL=target)
    assert done.returncode == 2
    assert "jobs" in done.stderr
    assert "parakeet migrate" in done.stderr


def test_a_target_that_is_down_has_its_exit_code_and_keeps_its_password(source: Path) -> None:
    url = f"postgresql://u:very-secret@127.0.0.1:{free_port()}/db?sslmode=require"
    done = run_script(SCRIPT, "--source", source, NEON_DATABASE_URL=url)
    assert done.returncode == 4
    assert "does not answer" in done.stderr
    assert "very-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
