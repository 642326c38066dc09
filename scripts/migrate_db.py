"""Bring the database schema up to date: scripts/migrate_db.py [--dry-run | --check].

Exit codes: 0 up to date, 1 behind (--check), 2 the URL or the schema is refused, 4 the database does not answer.
"""

from __future__ import annotations

import argparse
import sys

from backend.config import Settings
from backend.database.errors import DatabaseError, DatabaseUnavailableError
from backend.database.migrations import current_revision, head_revision, migrate, pending_sql

UP_TO_DATE, BEHIND, REFUSED, UNAVAILABLE = 0, 1, 2, 4


def main(arguments: list[str] | None = None) -> int:
    """Migrate, print the SQL of a migration, or tell whether one is due."""
    parser = argparse.ArgumentParser(description="Bring the database schema up to date.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="print the SQL, change nothing")
    mode.add_argument("--check", action="store_true", help="exit 1 when the database is behind")
    options = parser.parse_args(arguments)
    url = Settings().direct_source_url()
    try:
        return _run(url, is_dry=options.dry_run, is_check=options.check)
    except DatabaseError as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE if isinstance(error, DatabaseUnavailableError) else REFUSED


def _run(url: str, *, is_dry: bool, is_check: bool) -> int:
    if is_dry:
        print(pending_sql(url), end="")
        return UP_TO_DATE
    if is_check:
        current, head = current_revision(url), head_revision()
        print(f"database at {current or 'nothing'}, code at {head}")
        return UP_TO_DATE if current == head else BEHIND
    before, after = migrate(url)
    print(f"schema {after}: " + ("nothing to do" if before == after else f"migrated from {before or 'nothing'}"))
    return UP_TO_DATE


if __name__ == "__main__":
    sys.exit(main())
