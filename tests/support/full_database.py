"""A SQLite database with rows in every table of facts, chosen to be hard to move."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, create_engine, delete, func, insert, select, update

from backend.database.migrations import migrate
from backend.database.models.base import Base
from backend.database.models.every import METADATA
from backend.database.models.ingest import IngestFailure, IngestRun, Lease
from backend.database.models.jobs import IdempotencyKey, Job
from backend.database.models.journal import Trade
from backend.database.models.market import Bar, CorporateAction, Factor, IndexConstituent, Instrument, Universe
from backend.database.models.results import Backtest, Preregistration, PreregistrationRun, Sweep, SweepBatch, Trial
from backend.database.urls import direct_url

DAY = dt.date(2024, 1, 5)
MOMENT = dt.datetime(2024, 1, 8, 22, 0, 0, 123_456, tzinfo=dt.UTC)
LATER = MOMENT + dt.timedelta(days=1)
#: Numbers that a detour through text or float32 would change, and text of more than ASCII.
THIRD, TINY, TEXT = 1 / 3, 5e-324, 'Ünïcode · 鸚鵡 🦜 "quoted" \\ % \n'
#: PostgreSQL gives the first two back spelled otherwise.
JSON = {"large": 1e22, "minus zero": -0.0, "nested": [{"a": None}, TEXT, THIRD, True], "": {}}

#: Tables of facts; counts of what is stored are made again wherever it is stored.
TABLES = [table for table in METADATA.sorted_tables if table.name != "ticker_coverage"]

Row = dict[str, Any]  # Any: cells of mixed types


def fill(url: str) -> None:
    """Migrate the database and fill every table of facts."""
    migrate(url)
    engine = create_engine(direct_url(url))
    with engine.begin() as connection:
        for model, rows in _rows().items():
            connection.execute(insert(model), rows)
        _restate(connection)
        for table in TABLES:
            assert connection.scalar(select(func.count()).select_from(table)), f"{table.name} is empty"
    engine.dispose()


def contents(url: str) -> dict[str, list[Row]]:
    """Every row of every table of facts, in the order of its key."""
    engine = create_engine(direct_url(url))
    with engine.connect() as connection:
        found = {
            table.name: sorted(
                (dict(row._mapping) for row in connection.execute(select(table))),
                key=lambda row: [str(row[column.name]) for column in table.primary_key],
            )
            for table in TABLES
        }
    engine.dispose()
    return found


def _restate(connection: Connection) -> None:
    """Let the triggers write history: one bar restated twice, another removed."""
    for days, close in ((1, 10.5), (2, 11.5)):
        bar = update(Bar).where(Bar.ticker == "AAA", Bar.date == DAY)
        connection.execute(bar.values(close=close, known_at=MOMENT + dt.timedelta(days=days)))
    connection.execute(delete(Bar).where(Bar.ticker == "GONE"))


def _rows() -> dict[type[Base], list[Row]]:
    return _market() | _runs() | _ledger()


def _market() -> dict[type[Base], list[Row]]:
    bar = {"open": 10.0, "high": 12.0, "low": THIRD, "close": 10.0, "volume": 123_456_789.0, "adjusted_close": THIRD}
    facts = {"source": "files", "known_at": MOMENT, "metadata_": JSON}
    next_day = DAY + dt.timedelta(days=1)
    days = [("AAA", DAY), ("AAA", next_day), ("B'B", DAY), ("B'B", next_day), ("GONE", DAY)]
    bare = {"ticker": "BARE", "date": DAY, "close": TINY, "source": "files", "known_at": MOMENT, "metadata_": {}}
    nothing = dict.fromkeys(("open", "high", "low", "volume", "adjusted_close"))
    universe = {"key": "U", "name": TEXT, "currency": "USD", "calendar": "XNYS", "source": "files"}
    stay = {"index_name": "U", "ticker": "AAA", "start_date": DAY}
    instrument = {"id": "AAA", "symbol": "A", "kind": "etf", "currency": "USD", "calendar": "XNYS"}
    action = {"ticker": "AAA", "ex_date": DAY, "kind": "split", "source": "files", "new_symbol": None}
    return {
        Bar: [*({"ticker": ticker, "date": date} | bar | facts for ticker, date in days), bare | nothing],
        Universe: [
            universe | {"source_options": JSON, "benchmark": None, "known_at": MOMENT, "list_date": None},
            universe | {"source_options": {}, "benchmark": "AAA", "known_at": LATER, "list_date": DAY},
        ],
        Instrument: [instrument | {"known_at": MOMENT}],
        Factor: [
            {"dataset": "d", "name": "SMB", "date": DAY, "source": "files", "known_at": MOMENT, "value": THIRD},
            {"dataset": "d", "name": "SMB", "date": DAY, "source": "files", "known_at": LATER, "value": None},
        ],
        IndexConstituent: [
            stay | {"known_at": MOMENT, "end_date": None},
            stay | {"known_at": LATER, "end_date": DAY},
        ],
        CorporateAction: [
            action | {"known_at": MOMENT, "value": 2.0},
            action | {"known_at": LATER, "value": None},
            action | {"known_at": MOMENT, "kind": "symbol_change", "value": 1.0, "new_symbol": TEXT},
            action | {"known_at": MOMENT, "kind": "delisting", "value": -1.0},
        ],
    }


def _runs() -> dict[type[Base], list[Row]]:
    run = {"universe_key": "U", "source": "files", "started_at": MOMENT, "lookback_days": None, "tickers": 2}
    failure = {"ticker": "AAA", "error_class": "BAD_DATA", "reason": TEXT, "payload": JSON}
    return {
        IngestRun: [run | {"id": f"run{number}", "status": "succeeded"} for number in (1, 2)],
        IngestFailure: [
            failure | {"id": 3, "run_id": "run1", "date": DAY},
            failure | {"id": 41, "run_id": "run2", "date": None},
        ],
        Lease: [{"name": "ingest:U", "owner": "me", "expires_at": MOMENT}],
        Job: [
            {"id": "j1", "kind": "refresh", "status": "queued", "payload": JSON, "result": None, "progress": THIRD},
            {"id": "j2", "kind": "refresh", "status": "succeeded", "payload": {}, "result": JSON, "progress": 1.0},
        ],
    }


def _ledger() -> dict[type[Base], list[Row]]:
    backtest = {"spec": JSON, "document": TEXT, "equity_key": "e", "orders_key": "o", "holdings_key": "h"}
    sweep = {"spec": JSON, "budget": JSON, "job_id": "j1", "n_trials": 2, "batch_size": 1, "trial_seconds": THIRD}
    trial = {"strategy": "s", "universe": "U", "origin": "cli", "n_returns": 2, "created_at": MOMENT, "design": "d"}
    equity = {"equity_key": "e", "equity_column": "equity"}
    no_equity = {"equity_key": None, "equity_column": None}
    names = {"strategy": "s", "universe": "U"}
    batch = {"sweep_id": "s1", "trials_key": "t", "equity_key": "r", "n_trials": 1, "seconds": TINY}
    trade = {"ticker": "AAA", "side": "long", "quantity": THIRD, "entry_date": DAY, "entry_price": 10.0}
    return {
        Backtest: [backtest | {"id": f"b{number}", "created_at": MOMENT} for number in (1, 2)],
        Trial: [
            trial | equity | {"backtest_id": "b1", "mean": THIRD, "std": TINY, "skewness": -0.0, "kurtosis": 1e300},
            trial | no_equity | {"backtest_id": "b2", "mean": None, "std": None, "skewness": None, "kurtosis": None},
        ],
        Sweep: [
            sweep | {"id": "s1", "document": None, "created_at": MOMENT},
            sweep | {"id": "s2", "document": TEXT, "created_at": LATER},
        ],
        SweepBatch: [batch | {"number": number, "created_at": MOMENT} for number in (0, 1)],
        Preregistration: [{"id": "p", "spec": JSON, "reason": TEXT, "frozen_at": MOMENT} | names],
        PreregistrationRun: [{"preregistration_id": "p", "backtest_id": "b2", "created_at": MOMENT}],
        Trade: [trade | {"id": f"t{number}", "currency": "USD", "notes": TEXT} for number in range(5)],
        IdempotencyKey: [{"key": "k", "request_hash": "h"}],
    }
