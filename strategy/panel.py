"""The price panel: what the core knows about a universe, aligned once and then trusted.

Dates are axis 0, assets axis 1, values float64, NaN where there is no bar. Prices are as traded; what splits and
dividends do to them is held beside them as facts (`CorporateActions`) and applied by `strategy.adjustments`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from strategy.adjustments import CorporateActions, columns_with_gaps, last_known_closes, total_return_prices
from strategy.errors import MissingFieldError, PanelError
from strategy.remembered import Remembered

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.intp]
DateArray: TypeAlias = NDArray[np.datetime64]
#: Sessions that are checked at once: what the first look brought into the processor's cache, the second finds there.
_ROWS_AT_ONCE = 64
#: Memory of the signals that a panel remembers: 3 moving averages of 500 assets x 5,040 sessions, 332 of 10 x 2,520.
MOST_SIGNAL_BYTES = 64 << 20
Field: TypeAlias = Literal["open", "high", "low", "close", "volume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How a panel came into another currency than that of its quotes.

    Parameters
    ----------
    rates : ndarray of shape (n_dates, n_assets)
        Units of the panel's currency for one of the asset's own; NaN where it is not known.
    is_foreign : ndarray of shape (n_assets,), bool
        Whether the asset's own currency is another than the panel's.
    """

    rates: FloatArray
    is_foreign: BoolArray

    def between(self, first: int, stop: int) -> Conversion:
        """Sessions `first` to `stop` (excluded)."""
        return Conversion(rates=self.rates[first:stop], is_foreign=self.is_foreign)


@dataclass(frozen=True, kw_only=True)
class PricePanel:
    """Daily bars of a universe, aligned on sessions and tickers.

    Not slotted, because `prices` is computed once, when first asked for.

    Parameters
    ----------
    sessions : ndarray of shape (n_dates,), datetime64[D]
        Trading days, strictly increasing.
    tickers : tuple of str
        Asset names, sorted and unique; the order of axis 1.
    fields : mapping of field name to ndarray of shape (n_dates, n_assets)
        Raw values as traded, in quote currency (volume in shares). NaN means: no bar. `close` is always there.
    actions : CorporateActions
        Splits and dividends with their rows and columns in this panel.
    member : ndarray of shape (n_dates, n_assets), bool
        Whether the asset belonged to the universe on that date.
    conversion : Conversion or None
        How the values came into their currency; None: they are in that of the quotes.
    terminal_returns : ndarray of shape (n_assets,) or None
        Return on the last close that holders of a delisted asset got, a fraction >= -1; NaN where it is not known, or
        the asset is still listed. None: known of none.
    has_checked_values : bool
        The values need no check: they are part of another panel, or of a snapshot, into which only bars come that keep
        the database's checks, and whose bytes were verified.

    Raises
    ------
    PanelError
        If shapes differ, an axis is not sorted and unique, or a price is infinite, zero or negative.
    """

    sessions: DateArray
    tickers: tuple[str, ...]
    fields: Mapping[Field, FloatArray]
    actions: CorporateActions
    member: BoolArray
    conversion: Conversion | None = None
    terminal_returns: FloatArray | None = None
    has_checked_values: bool = False

    def __post_init__(self) -> None:
        _check_axes(self.sessions, self.tickers)
        shape = (self.sessions.size, len(self.tickers))
        if "close" not in self.fields:
            raise PanelError("a panel needs the field 'close'")
        if self.terminal_returns is not None and self.terminal_returns.shape != shape[1:]:
            raise PanelError(f"terminal_returns has shape {self.terminal_returns.shape}, expected {shape[1:]}")
        for name, values in (*self.fields.items(), ("member", self.member)):
            if values.shape != shape:
                raise PanelError(f"{name} has shape {values.shape}, expected {shape}")
        for name, values in self.fields.items():
            if not self.has_checked_values:
                _check_values(name, values)
            values.flags.writeable = False
        if self.conversion is not None and self.conversion.rates.shape != shape:
            raise PanelError(f"the rates of the conversion have shape {self.conversion.rates.shape}, expected {shape}")
        self.member.flags.writeable = False
        if self.conversion is not None:
            self.conversion.rates.flags.writeable = False
        if self.terminal_returns is not None:
            self.terminal_returns.flags.writeable = False
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    @property
    def n_dates(self) -> int:
        """Number of sessions."""
        return self.sessions.size

    @property
    def n_assets(self) -> int:
        """Number of tickers."""
        return len(self.tickers)

    def field(self, name: Field) -> FloatArray:
        """Raw values of one field, shape (n_dates, n_assets); `MissingFieldError` when it was not loaded."""
        if name not in self.fields:
            raise MissingFieldError(name, tuple(self.fields))
        return self.fields[name]

    @property
    def close_prices(self) -> FloatArray:
        """Closes as traded, shape (n_dates, n_assets), quote currency, NaN where there is no bar."""
        return self.fields["close"]

    @cached_property
    def prices(self) -> FloatArray:
        """Total-return closes, shape (n_dates, n_assets): see `strategy.adjustments.total_return_prices`."""
        if self.actions.rows.size == 0:
            return self.close_prices  # read-only, as every array of a panel: no need of a copy
        adjusted = total_return_prices(self.close_prices, self.actions)
        adjusted.flags.writeable = False
        return adjusted

    @cached_property
    def columns_with_gaps(self) -> IntArray:
        """Columns in which a close is missing, increasing."""
        return columns_with_gaps(self.close_prices)

    @cached_property
    def last_known_closes(self) -> FloatArray:
        """Closes with gaps filled, shape (n_dates, n_assets): see `strategy.adjustments.last_known_closes`."""
        carried = last_known_closes(self.close_prices, self.actions, gaps=self.columns_with_gaps)
        carried.flags.writeable = False
        return carried

    @cached_property
    def has_close(self) -> BoolArray:
        """Whether the asset has a close on that date, shape (n_dates, n_assets)."""
        has_close = np.isfinite(self.close_prices)
        has_close.flags.writeable = False
        return has_close

    @cached_property
    def active(self) -> BoolArray:
        """Member of the universe with a close on that date, shape (n_dates, n_assets)."""
        active = self.member & self.has_close
        active.flags.writeable = False
        return active

    def active_on(self, rows: IntArray | int) -> BoolArray:
        """`active` of some rows, without a look at the others; shape (len(rows), n_assets), or (n_assets,) of one."""
        is_active: BoolArray = self.member[rows] & np.isfinite(self.close_prices[rows])
        return is_active

    def prices_until(self, row: int) -> FloatArray:
        """`prices` up to a row, itself included, shape (row + 1, n_assets): all that a decision of it may look at.

        A strategy that asks for these and not for `prices` makes its look-ahead proof cheap: no future is scrambled
        that nobody looks at.
        """
        return self.prices[: row + 1]

    def remembered(self, key: Hashable, compute: Callable[[], FloatArray]) -> FloatArray:
        """What `compute` makes of this panel, once for each key, read-only: a signal that several decisions share.

        The key names everything besides the panel that the values depend on. The trials of a sweep run on one panel,
        and differ in some of their signals only.
        """
        return self.signals.get(key, compute)

    @cached_property
    def signals(self) -> Remembered:
        """What is remembered, `MOST_SIGNAL_BYTES` at most."""
        return Remembered(MOST_SIGNAL_BYTES)

    def until(self, row: int) -> PricePanel:
        """The same panel as it stood at the close of session `row`: nothing after it, actions included."""
        return self.between(0, row + 1)

    def between(self, first: int, stop: int) -> PricePanel:
        """Sessions `first` to `stop` (excluded), every asset."""
        return PricePanel(
            sessions=self.sessions[first:stop],
            tickers=self.tickers,
            fields={name: values[first:stop] for name, values in self.fields.items()},
            actions=self.actions.between(first, stop),
            member=self.member[first:stop],
            conversion=None if self.conversion is None else self.conversion.between(first, stop),
            terminal_returns=self.terminal_returns,
            has_checked_values=True,
        )

    def columns_of(self, tickers: Sequence[str], *, parameter: str = "tickers") -> IntArray:
        """Column numbers of the given tickers; `PanelError` names the first that is not there."""
        columns = {ticker: column for column, ticker in enumerate(self.tickers)}
        for ticker in tickers:
            if ticker not in columns:
                raise PanelError(f"{parameter}: ticker {ticker!r} is not in the universe of this panel")
        return np.array([columns[ticker] for ticker in tickers], dtype=np.intp)


def _check_axes(sessions: DateArray, tickers: tuple[str, ...]) -> None:
    if sessions.dtype != np.dtype("datetime64[D]"):
        raise PanelError(f"sessions must be datetime64[D], not {sessions.dtype}")
    if sessions.size > 1 and not bool((sessions[1:] > sessions[:-1]).all()):
        raise PanelError("sessions must be strictly increasing")
    if list(tickers) != sorted(set(tickers)):
        raise PanelError("tickers must be sorted and unique")


def _check_values(name: str, values: FloatArray) -> None:
    if values.dtype != np.float64:
        raise PanelError(f"{name} must be float64, not {values.dtype}")
    lowest = 0.0 if name == "volume" else np.nextafter(0.0, 1.0)
    for first in range(0, len(values), _ROWS_AT_ONCE):
        part = values[first : first + _ROWS_AT_ONCE]
        # The least and the largest value that are not NaN; NaN where all are.
        if np.fmin.reduce(part, axis=None) < lowest:
            raise PanelError(f"{name} holds a value below {'zero' if name == 'volume' else 'or at zero'}")
        if np.fmax.reduce(part, axis=None) == np.inf:
            raise PanelError(f"{name} holds an infinite value")
