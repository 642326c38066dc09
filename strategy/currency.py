"""Panels in another currency than that of their quotes.

A rate is the close of a currency pair: AUDUSD is US dollars for one Australian dollar. On each session the newest close
up to that day holds, never a later one, and none that is older than a stated number of days.

The close of a day's currency market (midnight UTC) comes after those of the exchanges: four hours after New York's in
its summer, eighteen after Sydney's in its winter. For a valuation that is the rate of the day; a decision taken at an
exchange's close has to use the rates of the day before (`lag_days=1`). A backtest in another currency does both: its
strategy sees a panel of the rates of the day before, its orders and holdings are valued at those of the day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from strategy.errors import CurrencyError, MissingRateError, PanelError
from strategy.panel import BoolArray, Conversion, DateArray, FloatArray, PricePanel

#: Of what most currencies are quoted in: pairs that nobody quotes are crossed through it.
_VEHICLE = "USD"
#: Letters of a currency's code; a pair is two of them.
_CODE = 3


def base_rates(
    fx: PricePanel, sessions: DateArray, currency: str, *, base: str, max_age_days: int = 7, lag_days: int = 0
) -> FloatArray:
    """Units of `base` for one unit of `currency` on each session, as known then.

    From the pair or its inverse, or else through US dollars.

    Parameters
    ----------
    fx : PricePanel
        Closes of currency pairs; its tickers are two ISO 4217 codes, such as AUDUSD: price of the first in the second.
    sessions : ndarray of shape (n_dates,), datetime64[D]
    currency, base : str
        ISO 4217 codes.
    max_age_days : int
        Calendar days after which a rate no longer holds; 7 spans a week with holidays.
    lag_days : int
        0: the close of the same day is known. 1: only that of the day before.

    Returns
    -------
    ndarray of shape (n_dates,)
        NaN where no rate is known.

    Raises
    ------
    CurrencyError
        If no pair, nor two through US dollars, leads from one currency to the other.
    """
    if currency == base:
        return np.ones(sessions.size)
    known = sessions - np.timedelta64(lag_days, "D")
    oldest = known - np.timedelta64(max_age_days - lag_days, "D")
    direct = _pair_rates(fx, known, oldest, currency, base)
    if direct is not None:
        return direct
    first, second = (_pair_rates(fx, known, oldest, *pair) for pair in ((currency, _VEHICLE), (_VEHICLE, base)))
    if first is None or second is None:
        raise CurrencyError(currency, base, fx.tickers)
    return first * second


def reachable(pairs: Sequence[str], currency: str) -> tuple[str, ...]:
    """Currencies that `base_rates` can lead to from `currency` by these pairs, itself included, sorted."""
    sides = [(pair[:_CODE], pair[_CODE:]) for pair in pairs]
    links = {frozenset(side) for side in sides}
    codes = {code for side in sides for code in side}
    to_vehicle = currency == _VEHICLE or frozenset((currency, _VEHICLE)) in links
    direct = {code for code in codes if frozenset((currency, code)) in links}
    crossed = {code for code in codes if to_vehicle and frozenset((_VEHICLE, code)) in links}
    return tuple(sorted({currency} | direct | crossed))


def refuse_missing_rates(panel: PricePanel, currency: str, base: str, *, start: dt.date) -> None:
    """`MissingRateError` names the first session from `start` on for which a converted panel has no rate."""
    if panel.conversion is None:
        return
    first = int(np.searchsorted(panel.sessions, np.datetime64(start, "D")))
    missing = np.isnan(panel.conversion.rates[first:]).any(axis=1)
    if missing.any():
        raise MissingRateError(currency, base, str(panel.sessions[first + int(np.argmax(missing))]))


def converted(panel: PricePanel, rates: FloatArray, *, is_foreign: BoolArray | None = None) -> PricePanel:
    """The panel in another currency: prices at the rate of their session, dividends at that of their ex-date.

    Volumes, splits and members stay as they are. A dividend before the first price with a known rate is left out: it
    has no effect on anything later.

    Parameters
    ----------
    panel : PricePanel
    rates : ndarray of shape (n_dates, n_assets)
        Units of the new currency for one unit of the asset's own. NaN (not known) makes the prices NaN.
    is_foreign : ndarray of shape (n_assets,), bool, or None
        Assets that were quoted in another currency than the new one; None: all of them.

    Raises
    ------
    PanelError
        If the shapes differ, a rate is not positive, or the rate of a dividend between known prices is not known.
    """
    if rates.shape != panel.close_prices.shape:
        raise PanelError(f"rates have shape {rates.shape}, the panel has {panel.close_prices.shape}")
    if np.isinf(rates).any() or (rates <= 0).any():
        raise PanelError("a rate is infinite, zero or negative")
    fields = {name: values if name == "volume" else values * rates for name, values in panel.fields.items()}
    dividends = _converted_dividends(panel, rates)
    conversion = Conversion(
        rates=rates, is_foreign=np.ones(panel.n_assets, dtype=np.bool_) if is_foreign is None else is_foreign
    )
    return replace(panel, fields=fields, actions=replace(panel.actions, dividends=dividends), conversion=conversion)


def asset_rates(
    fx: PricePanel, panel: PricePanel, currencies: Sequence[str], *, base: str, lag_days: int = 0
) -> FloatArray:
    """Rates of every asset of a panel for `converted`, shape (n_dates, n_assets); `currencies` has one for each."""
    by_currency = {
        currency: base_rates(fx, panel.sessions, currency, base=base, lag_days=lag_days) for currency in set(currencies)
    }
    return np.column_stack([by_currency[currency] for currency in currencies])


def _pair_rates(fx: PricePanel, known: DateArray, oldest: DateArray, currency: str, base: str) -> FloatArray | None:
    if currency == base:
        return np.ones(known.size)
    if currency + base in fx.tickers:
        return _closes_as_of(fx, currency + base, known, oldest)
    if base + currency in fx.tickers:
        return 1 / _closes_as_of(fx, base + currency, known, oldest)
    return None


def _closes_as_of(fx: PricePanel, pair: str, known: DateArray, oldest: DateArray) -> FloatArray:
    """The newest close up to each day of `known`; NaN where it is from before the day of `oldest`."""
    closes = fx.close_prices[:, fx.tickers.index(pair)]
    there = np.isfinite(closes)
    dates, values = fx.sessions[there], closes[there]
    row = np.searchsorted(dates, known, side="right") - 1
    found = np.full(known.size, np.nan)
    is_known = row >= 0
    is_known[is_known] = dates[row[is_known]] >= oldest[is_known]
    found[is_known] = values[row[is_known]]
    return found


def _converted_dividends(panel: PricePanel, rates: FloatArray) -> FloatArray:
    actions = panel.actions
    at_ex_date = rates[actions.rows, actions.columns]
    has_begun = np.maximum.accumulate(np.isfinite(panel.close_prices * rates), axis=0)[actions.rows, actions.columns]
    unknown = np.isnan(at_ex_date) & has_begun & (actions.dividends != 0)
    if unknown.any():
        row, column = actions.rows[unknown][0], actions.columns[unknown][0]
        raise PanelError(f"no rate is known for the dividend of {panel.tickers[column]} on {panel.sessions[row]}")
    return actions.dividends * np.nan_to_num(at_ex_date, nan=0.0)
