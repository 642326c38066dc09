"""Put a stored backtest to the test: Monte-Carlo, stress windows, and shocks that a user makes up.

What is computed follows from the stored result and its snapshot, with random numbers seeded by its id, so that it is
the same for ever. Only the asset classes of shocks are read from the database as they are now.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection

from aws.s3_cache import ObjectStore, read_table
from backend.database.backtests import BacktestRecord, get_backtest
from backend.database.instruments import instruments
from backend.database.universes import get_universe
from backend.services.errors import RequestError
from strategy.backtest.spec import BacktestSpec

if TYPE_CHECKING:
    from strategy.panel import DateArray, FloatArray, PricePanel
    from strategy.validation.monte_carlo import Distribution
    from strategy.validation.result import Curves, ResultTests, StressTest
    from strategy.validation.stress import Shocked

#: Paths and orders drawn.
N_SAMPLES = 1_000
_CLASS = "class:"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A stored backtest with what the tests need of it."""

    spec: BacktestSpec
    curves: Curves
    panel: PricePanel
    weights: FloatArray


async def validation_document(connection: AsyncConnection, store: ObjectStore, backtest_id: str) -> str:
    """The tests of a stored backtest as JSON text, the same for every request.

    Raises
    ------
    UnknownBacktestError
        If it was never run.
    InsufficientHistoryError, StatisticError
        If it is too short to be resampled, or lost everything.
    """
    import numpy as np  # noqa: PLC0415  cold start

    from strategy.validation.result import result_tests  # noqa: PLC0415  cold start

    record = await get_backtest(connection, backtest_id)
    stored = await _stored(store, record)
    tests = await asyncio.to_thread(
        result_tests,
        stored.curves,
        stored.panel,
        stored.weights,
        cash_rate=stored.spec.execution.cash_rate,
        generator=np.random.default_rng(int(record.id[:16], 16)),
        n_samples=N_SAMPLES,
    )
    body = {"id": record.id, "snapshot": stored.spec.snapshot} | _body(tests)
    body["holdings"] = _holdings(stored)
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


async def shocked(connection: AsyncConnection, store: ObjectStore, backtest_id: str, shocks: Sequence[str]) -> Shocked:
    """What made-up moves would do to the last holdings of a stored backtest.

    Parameters
    ----------
    shocks : sequence of str
        ``TICKER=MOVE`` or ``class:KIND=MOVE``, moves as fractions: ``SPY=-0.3``, ``class:etf=-0.2``. A ticker's own
        goes before that of its class, which is the kind of its instrument or, where that is not known, of its universe.

    Raises
    ------
    RequestError
        If a shock is not of that form, or given twice.
    StatisticError
        If it is out of bounds, or names nothing of the universe.
    """
    from strategy.validation.stress import shocked_holdings  # noqa: PLC0415  cold start

    moves = _parsed(shocks)
    record = await get_backtest(connection, backtest_id)
    stored = await _stored(store, record)
    return shocked_holdings(
        stored.weights,
        stored.panel.tickers,
        shocks={name: move for name, move in moves.items() if not name.startswith(_CLASS)},
        classes=await _classes(connection, stored),
        class_shocks={name[len(_CLASS) :]: move for name, move in moves.items() if name.startswith(_CLASS)},
    )


async def _stored(store: ObjectStore, record: BacktestRecord) -> _Stored:
    import numpy as np  # noqa: PLC0415  cold start

    from backend.services.panels import panels_of  # noqa: PLC0415  cold start
    from strategy.validation.result import Curves  # noqa: PLC0415  cold start
    from strategy.validation.stress import closing_weights  # noqa: PLC0415  cold start

    spec = BacktestSpec.from_json(json.dumps(record.spec))
    panel = (await panels_of(store, spec)).panel
    equity = await read_table(store, record.equity_key)
    columns = {name: equity.column(name).to_numpy() for name in ("session", "equity", "cash", "benchmark")}
    curves = Curves(
        sessions=columns["session"].astype("datetime64[D]"),
        equity=columns["equity"],
        benchmark=columns["benchmark"],
        rebalanced=await _rebalanced(store, record),
        fills_at_close=spec.execution.fill == "next_close",
    )
    # Nothing but cash at the end leaves no row of holdings; the rows before it are those of an earlier change.
    is_invested = columns["equity"][-1] != columns["cash"][-1]
    shares = await _last_shares(store, record, panel) if is_invested else np.zeros(panel.n_assets)
    return _Stored(
        spec=spec, curves=curves, panel=panel, weights=closing_weights(panel, shares, float(curves.equity[-1]))
    )


async def _rebalanced(store: ObjectStore, record: BacktestRecord) -> DateArray:
    import numpy as np  # noqa: PLC0415  cold start

    orders = await read_table(store, record.orders_key, ("decided", "filled", "kind"))
    is_rebalance = orders.column("kind").to_numpy(zero_copy_only=False) == "rebalance"
    # A rebalance that fills over several sessions begins one period, with its first fill.
    _, first = np.unique(orders.column("decided").to_numpy()[is_rebalance], return_index=True)
    filled: DateArray = orders.column("filled").to_numpy()[is_rebalance][first].astype("datetime64[D]")
    return filled


async def _last_shares(store: ObjectStore, record: BacktestRecord, panel: PricePanel) -> FloatArray:
    import numpy as np  # noqa: PLC0415  cold start

    table = await read_table(store, record.holdings_key, ("session", "ticker", "shares"))
    sessions = table.column("session").to_numpy()
    last = np.flatnonzero(sessions == sessions[-1])
    shares = np.zeros(panel.n_assets)
    shares[panel.columns_of(table.column("ticker").take(last).to_pylist())] = table.column("shares").to_numpy()[last]
    return shares


async def _classes(connection: AsyncConnection, stored: _Stored) -> dict[str, str]:
    known = await instruments(connection, stored.panel.tickers)
    universe = await get_universe(connection, stored.spec.universe)
    return {ticker: known[ticker].kind if ticker in known else universe.kind for ticker in stored.panel.tickers}


def _parsed(shocks: Sequence[str]) -> dict[str, float]:
    moves: dict[str, float] = {}
    for text in shocks:
        name, _, figure = text.rpartition("=")
        try:
            move = float(figure)
        except ValueError:
            move = math.nan
        if not name or math.isnan(move):
            raise RequestError("shock", text, "write TICKER=MOVE or class:KIND=MOVE, for example SPY=-0.3 for -30 %")
        if name in moves:
            raise RequestError("shock", text, f"{name} has a shock already")
        moves[name] = move
    return moves


def _body(tests: ResultTests) -> dict[str, Any]:  # Any: JSON values
    paths, orders = tests.paths, tests.orders
    return {
        "resampled": {
            "n_samples": paths.n_samples,
            "block_length": paths.block_length,
            "probability_of_loss": paths.probability_of_loss,
            "total_return": _distribution(paths.total_return),
            "max_drawdown": _distribution(paths.max_drawdown),
            "sharpe": _distribution(paths.sharpe),
        },
        "reordered": {
            "n_samples": orders.n_samples,
            "n_periods": orders.n_periods,
            "max_drawdown": _distribution(orders.max_drawdown),
        },
        "stress": [_stress(test) for test in tests.stress],
    }


def _distribution(distribution: Distribution) -> dict[str, Any]:  # Any: JSON values
    from strategy.validation.monte_carlo import QUANTILES  # noqa: PLC0415  cold start

    quantiles = zip(QUANTILES, distribution.quantiles.tolist(), strict=True)
    return {
        "observed": _finite(distribution.observed),
        "quantiles": {f"{share:g}": _finite(value) for share, value in quantiles},
    }


def _stress(test: StressTest) -> dict[str, Any]:  # Any: JSON values
    window, holdings = test.window, test.holdings
    return {
        "name": window.name,
        "title": window.title,
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
        "strategy": asdict(test.strategy) if test.strategy else None,
        "benchmark": asdict(test.benchmark) if test.benchmark else None,
        "holdings": asdict(holdings.replay) | {"covered": holdings.covered} if holdings else None,
    }


def _holdings(stored: _Stored) -> Mapping[str, float]:
    return {
        ticker: weight
        for ticker, weight in zip(stored.panel.tickers, stored.weights.tolist(), strict=True)
        if weight != 0
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
