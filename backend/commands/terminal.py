"""What a person or a script sees of a command: tables, progress, JSON, errors and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from aws.errors import CacheError
from backend.database.errors import DatabaseError
from backend.errors import status_of
from backend.ingest.errors import IngestError, SourceSettingsError
from backend.services.errors import ServiceError, UniverseExistsError
from strategy.errors import StrategyError

OK, INCOMPLETE, BAD_INPUT, NOT_FOUND, UNAVAILABLE, LOCKED = 0, 1, 2, 3, 4, 5
_EXIT_CODES = {404: NOT_FOUND, 409: LOCKED, 422: BAD_INPUT, 503: UNAVAILABLE}

console = Console(soft_wrap=True)
_errors = Console(stderr=True)


@contextmanager
def reported_errors(*, as_json: bool) -> Iterator[None]:
    """Turn our own errors into one line on stderr and an exit code; anything else is a bug and flies."""
    try:
        yield
    except (CacheError, DatabaseError, IngestError, ServiceError, StrategyError) as error:
        code = exit_code(error)
        if as_json:
            facts = {name: str(getattr(error, name)) for name in ("field", "value", "reason") if hasattr(error, name)}
            sys.stderr.write(json.dumps({"error": str(error), "exit_code": code} | facts) + "\n")
        else:
            _errors.print(f"[bold red]error[/] {_escaped(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(code) from error


def exit_code(error: Exception) -> int:
    """2 bad input, 3 not found, 4 database or cache unavailable, 5 locked by another run, 1 anything else."""
    if isinstance(error, SourceSettingsError | UniverseExistsError):
        return BAD_INPUT
    return _EXIT_CODES.get(status_of(error), INCOMPLETE)


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, default=str, sort_keys=True) + "\n")


@contextmanager
def progress_bar(title: str, *, is_hidden: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar that the yielded `report(done, total)` moves; nothing is drawn where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_errors, transient=True, disable=is_hidden or not _errors.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


def print_rows(title: str, rows: Sequence[Mapping[str, object]], columns: Mapping[str, str]) -> None:
    """A table; `columns` maps keys of the rows to headers, numbers are right-aligned."""
    table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD)
    for key, header in columns.items():
        is_number = any(isinstance(row.get(key), int | float) for row in rows)
        table.add_column(header, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key in columns))
    console.print(table)


def print_summaries(documents: Sequence[Mapping[str, Any]]) -> None:  # Any: JSON documents
    """Metrics of several backtests side by side, with the definition of none hidden: `--json` has them."""
    table = Table(title="Backtests side by side", title_justify="left", header_style="bold")
    table.add_column("")
    for document in documents:
        table.add_column(document["spec"]["strategy"], justify="right")
    first = documents[0]
    table.add_row("universe", *(document["spec"]["universe"] for document in documents))
    table.add_row("sessions", *(f"{item['first_session']} to {item['last_session']}" for item in documents))
    for number, metric in enumerate(first["metrics"]):
        values = (document["metrics"][number] for document in documents)
        cells = (formatted(value["value"], value["unit"], item) for value, item in zip(values, documents, strict=True))
        table.add_row(metric["key"].replace("_", " "), *cells)
    table.add_row("look-ahead", *(_proof(document) for document in documents))
    table.add_row("id", *(document["id"][:12] for document in documents))
    console.print(table)


def formatted(value: float | str | None, unit: str, document: Mapping[str, Any]) -> str:  # Any: a JSON document
    """A figure with its unit, as a person reads it."""
    if value is None:
        return "undefined"
    if isinstance(value, str):
        return value
    currency = document["spec"]["base_currency"]
    forms = {
        "fraction": f"{value * 100:,.1f} %",
        "ratio": f"{value:,.2f}",
        "currency": f"{value:,.2f} {currency}",
        "count": f"{value:,.0f}",
        "sessions": f"{value:,.0f}",
    }
    return forms.get(unit, f"{value:,.4g}")


def _proof(document: Mapping[str, Any]) -> str:  # Any: a JSON document
    return f"none at {len(document['honesty']['lookahead']['checked'])} dates"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
