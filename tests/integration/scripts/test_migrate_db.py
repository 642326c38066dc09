"""scripts/migrate_db.py, run as a person or a deployment runs it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url

from backend.database.migrations import current_revision, head_revision, migrate
from support.postgres import free_port
from support.scripts import run_script

SCRIPT = "migrate_db.py"


def test_a_dry_run_prints_the_sql_and_changes_nothing(database_url: str) -> None:
    done = run_script(SCRIPT, "--dry-run", DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert "CREATE TABLE market_data" in done.stdout
    assert "market_data_restated" in done.stdout
    assert current_revision(database_url) is None


def test_a_dry_run_prints_nothing_when_there_is_nothing_to_do(sqlite_url: str) -> None:
    migrate(sqlite_url)
    done = run_script(SCRIPT, "--dry-run", DATABASE_URL=sqlite_url)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_check_tells_a_database_that_is_behind(sqlite_url: str) -> None:
    done = run_script(SCRIPT, "--check", DATABASE_URL=sqlite_url)
    assert done.returncode == 1
    assert done.stdout == f"database at nothing, code at {head_revision()}\n"
    assert current_revision(sqlite_url) is None


def test_a_check_is_content_with_a_migrated_database(sqlite_url: str) -> None:
    migrate(sqlite_url)
    done = run_script(SCRIPT, "--check", DATABASE_URL=sqlite_url)
    assert (done.returncode, done.stdout) == (0, f"database at {head_revision()}, code at {head_revision()}\n")


def test_migrating_can_be_repeated(database_url: str) -> None:
    first = run_script(SCRIPT, DATABASE_URL=database_url)
    again = run_script(SCRIPT, DATABASE_URL=database_url)
    assert (first.returncode, first.stdout) == (0, f"schema {head_revision()}: migrated from nothing\n")
    assert (again.returncode, again.stdout) == (0, f"schema {head_revision()}: nothing to do\n")


def test_of_two_processes_at_once_one_migrates(database_url: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: run_script(SCRIPT, DATABASE_URL=database_url), range(2)))
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    assert sorted(done.stdout.split(": ")[1] for done in both) == ["migrated from nothing\n", "nothing to do\n"]


@pytest.mark.postgres
def test_the_direct_url_is_the_one_that_is_migrated(postgres_url: str) -> None:
    # The pooled URL leads nowhere: it must not be asked.
    pooled = make_url(postgres_url).set(port=free_port()).render_as_string(hide_password=False)
    done = run_script(SCRIPT, NEON_DIRECT_URL=postgres_url, NEON_DATABASE_URL=pooled)
    assert done.returncode == 0, done.stderr
    assert current_revision(postgres_url) == head_revision()


@pytest.mark.parametrize("mode", [(), ("--dry-run",), ("--check",)])
def test_a_database_that_is_down_has_its_exit_code(mode: tuple[str, ...]) -> None:
    url = f"postgresql://u:very-secret@127.0.0.1:{free_port()}/db"
    done = run_script(SCRIPT, *mode, NEON_DATABASE_URL=url)
    assert done.returncode == 4
    assert "does not answer" in done.stderr
    assert "very-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["very-secret", "postgresql://u:p@ss:very-secret@host/db"])
def test_a_url_that_cannot_be_understood_is_refused_without_repeating_it(url: str) -> None:
    done = run_script(SCRIPT, NEON_DATABASE_URL=url)
    assert done.returncode == 2
    assert done.stderr.startswith("database URL: ")
    assert "very-secret" not in done.stdout + done.stderr


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    text = "not a database, but long enough to have the header of one " * 20
    file.write_text(text)
    done = run_script(SCRIPT, DATABASE_URL=f"sqlite:///{file}")
    assert done.returncode == 2
    assert "file is not a database" in done.stderr
    assert file.read_text() == text
