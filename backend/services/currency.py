"""Panels in an investor's own currency, with the rates of a snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from aws.s3_cache import ObjectStore
from strategy.currency import asset_rates, converted
from strategy.fast_data_loader import load_panel
from strategy.panel import PricePanel

#: Days before a panel from which rates are read: more than a rate holds.
_BEFORE = dt.timedelta(days=14)


async def in_base_currency(
    store: ObjectStore,
    panel: PricePanel,
    *,
    currencies: Sequence[str],
    base: str,
    fx_snapshot: str,
    lag_days: int = 0,
) -> PricePanel:
    """The panel in `base`; `currencies` holds that of each of its tickers, `fx_snapshot` closes of currency pairs.

    Raises `CurrencyError` when a currency cannot be had from the pairs, and as `load_panel` does. A panel that is in
    the base currency already comes back as it is, and no rate is read.
    """
    if set(currencies) == {base}:
        return panel
    first: dt.date = panel.sessions[0].item()
    last: dt.date = panel.sessions[-1].item()
    fx = await load_panel(store, fx_snapshot, fields=("close",), start=first - _BEFORE, end=last)
    is_foreign = np.array([currency != base for currency in currencies])
    return converted(panel, asset_rates(fx, panel, currencies, base=base, lag_days=lag_days), is_foreign=is_foreign)
