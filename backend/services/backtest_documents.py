"""What is kept of a backtest: the document that is served, its tables, and its line in the trial ledger."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aws.s3_cache import packed
from backend.database.trials import TrialRecord
from backend.services.backtest_audits import Audit
from strategy.backtest.design import design_of
from strategy.backtest.metrics import Metric
from strategy.backtest.run import BacktestResult
from strategy.backtest.spec import BacktestSpec
from strategy.backtest.valuation import valuation_prices
from strategy.panel import IntArray, PricePanel

BENCHMARK_DEFINITIONS = {
    "ticker": "This ticker, bought at the first fill and held, at no cost.",
    "universe_buy_and_hold": "Equal parts of every member at the first decision, bought then and held, at no cost.",
}


def tables_of(panel: PricePanel, result: BacktestResult) -> dict[str, bytes]:
    """Equity, orders and holdings as Parquet files."""
    tables = {
        "equity": _equity_table(panel, result),
        "orders": _orders_table(panel, result),
        "holdings": _holdings_table(panel, result),
    }
    return {name: packed(table) for name, table in tables.items()}


def document_of(
    spec: BacktestSpec,
    panel: PricePanel,
    result: BacktestResult,
    *,
    audit: Audit,
    keys: Mapping[str, str],
    generated_at: dt.datetime,
) -> str:
    """The document as JSON text; but for `generated_at` a pure function of the spec."""
    kind = "ticker" if spec.benchmark else "universe_buy_and_hold"
    sessions = panel.sessions[result.simulation.rows]
    body = {
        "id": spec.backtest_id,
        "first_session": str(sessions[0]),
        "last_session": str(sessions[-1]),
        "n_sessions": int(sessions.size),
        "metrics": [{name: getattr(metric, name) for name in Metric.__slots__} for metric in result.metrics],
        "benchmark": {"kind": kind, "ticker": spec.benchmark, "definition": BENCHMARK_DEFINITIONS[kind]},
        "books": result.simulation.books(),
        "honesty": audit.block(),
        "tables": dict(keys),
    }
    parts = {name: _json(value) for name, value in body.items()} | {"spec": spec.canonical_json().decode("ascii")}
    meta = {
        "as_of": audit.as_of.isoformat(),
        "snapshot": spec.snapshot,
        "quality": audit.quality,
        "data_hash": hashlib.sha256(_joined(parts).encode()).hexdigest(),
        "generated_at": generated_at.isoformat(),
    }
    return _joined(parts | {"meta": _json(meta)})


def trial_of(
    spec: BacktestSpec,
    result: BacktestResult,
    *,
    equity_key: str,
    origin: str,
    created_at: dt.datetime,
    design: str | None = None,
) -> TrialRecord:
    """The line of the ledger; a moment that is undefined (returns that do not vary) is None.

    `design` None: that of the spec.
    """
    moments = result.moments
    return TrialRecord(
        backtest_id=spec.backtest_id,
        design=design or design_of(spec),
        strategy=spec.strategy,
        universe=spec.universe,
        origin=origin,
        n_returns=moments.n,
        mean=_finite(moments.mean),
        std=_finite(moments.std),
        skewness=_finite(moments.skewness),
        kurtosis=_finite(moments.kurtosis),
        equity_key=equity_key,
        equity_column="equity",
        created_at=created_at,
    )


def _equity_table(panel: PricePanel, result: BacktestResult) -> pa.Table:
    simulation = result.simulation
    return pa.table(
        {
            "session": _dates(panel, simulation.rows),
            "equity": simulation.equity,
            "cash": simulation.cash,
            "benchmark": result.benchmark.equity,
        }
    )


def _orders_table(panel: PricePanel, result: BacktestResult) -> pa.Table:
    orders = result.simulation.orders
    return pa.table(
        {
            "decided": _dates(panel, orders.decision_rows),
            "filled": _dates(panel, orders.fill_rows),
            "ticker": _tickers(panel, orders.columns),
            "shares": orders.shares,
            "price": orders.prices,
            "value": orders.values,
            "cost": orders.costs,
            "kind": _texts(orders.kinds),
        }
    )


def _holdings_table(panel: PricePanel, result: BacktestResult) -> pa.Table:
    """What is held after each change: shares, and their value and share of equity at that close."""
    simulation = result.simulation
    # By their places in all of it: to look for both indices at once takes four times as long.
    places = np.flatnonzero(simulation.event_shares != 0)
    event, column = np.divmod(places, panel.n_assets)
    rows = simulation.event_rows[event]
    shares = simulation.event_shares[event, column]
    values = shares * valuation_prices(panel)[rows, column]
    return pa.table(
        {
            "session": _dates(panel, rows),
            "ticker": _tickers(panel, column),
            "shares": shares,
            "value": values,
            "weight": values / simulation.equity[rows - simulation.rows[0]],
        }
    )


def _dates(panel: PricePanel, rows: IntArray) -> pa.Array:
    """Session of each row; numpy's days and Arrow's are the same number, of another length."""
    days = panel.sessions.astype(np.int64).astype(np.int32)
    return pa.array(days[rows]).view(pa.date32())


def _tickers(panel: PricePanel, columns: IntArray) -> pa.DictionaryArray:
    """Name of each column, told by its number: a text for each order costs more than the rest of its Parquet."""
    return pa.DictionaryArray.from_arrays(pa.array(columns.astype(np.int32)), pa.array(panel.tickers, pa.string()))


def _texts(texts: NDArray[np.str_]) -> pa.DictionaryArray:
    """Texts of which most are the same as the one before, each run of them looked at once."""
    begins = np.flatnonzero(np.concatenate(([True], texts[1:] != texts[:-1])))[: texts.size]
    names, codes = np.unique(texts[begins], return_inverse=True)
    numbers = np.repeat(codes.astype(np.int32), np.diff(begins, append=texts.size))
    return pa.DictionaryArray.from_arrays(pa.array(numbers), pa.array(names, pa.string()))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _joined(parts: Mapping[str, str]) -> str:
    """The object of values that are JSON already, as `_json` writes it: what is hashed and served is encoded once."""
    return "{" + ",".join(f"{_json(name)}:{parts[name]}" for name in sorted(parts)) + "}"
