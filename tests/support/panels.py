"""Small synthetic panels for properties of the core: random walks, shapes to test code with, no market."""

from __future__ import annotations

import numpy as np

from strategy.adjustments import CorporateActions
from strategy.panel import DateArray, FloatArray, PricePanel


def business_days(n_dates: int, start: str = "2020-01-01") -> DateArray:
    """The first `n_dates` Mondays to Fridays from `start`."""
    return np.busday_offset(start, np.arange(n_dates), roll="forward").astype("datetime64[D]")


def panel_of(
    close: FloatArray,
    *,
    open_prices: FloatArray | None = None,
    sessions: DateArray | None = None,
    actions: CorporateActions | None = None,
    tickers: tuple[str, ...] | None = None,
) -> PricePanel:
    """A panel of given closes; opens equal the closes and every asset is a member unless said otherwise."""
    closes = np.array(close, dtype=np.float64)
    opens = closes.copy() if open_prices is None else np.array(open_prices, dtype=np.float64)
    n_dates, n_assets = closes.shape
    return PricePanel(
        sessions=business_days(n_dates) if sessions is None else sessions,
        tickers=tickers or tuple(f"T{number:03d}" for number in range(n_assets)),
        fields={"open": opens, "close": closes},
        actions=actions or CorporateActions.none(),
        member=np.ones(closes.shape, dtype=np.bool_),
    )


def random_panel(
    seed: int, *, n_dates: int, n_assets: int, missing: float = 0.0, volatility: float = 0.02
) -> PricePanel:
    """Independent geometric random walks with opens near the closes; a share `missing` of the bars is absent."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, volatility, size=(n_dates, n_assets))
    close = 50.0 * np.exp(np.cumsum(steps, axis=0))
    opens = close * np.exp(rng.normal(0.0, volatility / 4, size=close.shape))
    gone = rng.random(close.shape) < missing
    close[gone] = np.nan
    opens[gone] = np.nan
    return panel_of(close, open_prices=opens)


def dividend_payer() -> PricePanel:
    """Five assets, some bars missing, volumes, and one dividend a session."""
    walk = random_panel(11, n_dates=60, n_assets=5, missing=0.01)
    n_dates, n_assets = walk.close_prices.shape
    actions = CorporateActions(
        rows=np.arange(n_dates),
        columns=np.arange(n_dates) % n_assets,
        split_ratios=np.ones(n_dates),
        dividends=np.full(n_dates, 0.5),
    )
    volume = np.random.default_rng(12).integers(1_000, 9_000, walk.close_prices.shape).astype(np.float64)
    return PricePanel(
        sessions=walk.sessions,
        tickers=walk.tickers,
        fields={**walk.fields, "volume": volume},
        actions=actions,
        member=walk.member,
    )
