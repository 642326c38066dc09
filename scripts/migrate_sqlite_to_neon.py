"""Move a SQLite database to PostgreSQL: scripts/migrate_sqlite_to_neon.py [--source data/trades.db] [--target URL].

Safe to repeat and to break off; the source is only read. Exit codes: 0 all moved and verified, 1 some rows are bad or a
table is not verified, 2 source or target is not what it needs, 4 the target does not answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backend.config import ROOT, Settings
from backend.database.errors import DatabaseError, DatabaseUnavailableError
from backend.database.transfer import TableReport, transfer

MOVED, INCOMPLETE, REFUSED, UNAVAILABLE = 0, 1, 2, 4
#: Bad rows named on the terminal for one table; `--json` has all of them.
_SHOWN = 20


def main(arguments: list[str] | None = None) -> int:
    """Move everything, and tell what became of it."""
    parser = argparse.ArgumentParser(description="Move a SQLite database to PostgreSQL.")
    parser.add_argument("--source", type=Path, default=ROOT / "data" / "trades.db", help="SQLite file (only read)")
    parser.add_argument("--target", help="PostgreSQL URL; absent: NEON_DIRECT_URL or NEON_DATABASE_URL")
    parser.add_argument("--batch-size", type=int, default=5_000, help="rows per transaction")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(arguments)
    if options.batch_size < 1:
        parser.error("--batch-size must be at least 1")
    target = options.target or Settings().direct_source_url()
    try:
        reports = _with_progress(options.source, target, batch_size=options.batch_size, is_hidden=options.json)
    except DatabaseError as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE if isinstance(error, DatabaseUnavailableError) else REFUSED
    if options.json:
        print(json.dumps([asdict(report) for report in reports]))
    else:
        _show(reports)
    return MOVED if all(report.is_verified and not report.bad for report in reports) else INCOMPLETE


def _with_progress(source: Path, target: str, *, batch_size: int, is_hidden: bool) -> list[TableReport]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=is_hidden or not console.is_terminal) as bar:
        tasks = {}

        def report(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = bar.add_task(table)
            bar.update(tasks[table], completed=done, total=total)

        return transfer(source, target, batch_size=batch_size, progress=report)


def _show(reports: list[TableReport]) -> None:
    console = Console(soft_wrap=True)
    table = Table(title="SQLite to PostgreSQL", title_justify="left")
    for header in ("table", "in source", "written", "already there", "bad", "at target", "verified"):
        table.add_column(header, justify="left" if header == "table" else "right")
    for report in reports:
        counts = (report.source_rows, report.written, report.already_there, len(report.bad), report.target_rows)
        table.add_row(report.table, *(f"{count:,}" for count in counts), "yes" if report.is_verified else "NO")
    console.print(table)
    for report in reports:
        for row in report.bad[:_SHOWN]:
            console.print(f"bad row in {row.table}: {row.key}: {row.reason}", markup=False)
        if len(report.bad) > _SHOWN:
            console.print(f"… and {len(report.bad) - _SHOWN:,} more in {report.table}; --json names all")


if __name__ == "__main__":
    sys.exit(main())
