"""Panels that agree with one panel up to a session, and in nothing after it.

Proofs ask for many of them, and a copy of everything for each would cost more than the backtest that is proved. So the
future is scrambled once for each array that is looked at, behind the first session asked for; for every later session
the true past is copied over it up to there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from strategy.panel import BoolArray, Conversion, Field, FloatArray, IntArray, PricePanel

#: Share of the bars that are missing from a scrambled future.
_MISSING = 0.1
#: Sessions that are scrambled at once, so that they stay in the processor's cache.
_ROWS_AT_ONCE = 64
Value = TypeVar("Value", np.float64, np.bool_)


class ScrambledFutures:
    """The futures of a panel: other prices, other gaps, other members, no corporate action.

    Parameters
    ----------
    panel : PricePanel
    generator : numpy Generator
    """

    def __init__(self, panel: PricePanel, generator: np.random.Generator) -> None:
        self.panel = panel
        self._generator = generator
        self._row = 0
        self._spliced: dict[str, _Spliced[np.float64]] = {}
        self._flags: dict[str, _Spliced[np.bool_]] = {}

    def after(self, row: int) -> PricePanel:
        """The panel with everything after a row replaced; valid until the next is asked for, of a later row."""
        self._refuse_earlier(row)
        self._row = row
        return _ScrambledPanel(self, row)

    def field(self, name: Field, row: int) -> FloatArray:
        """A field with its future scrambled."""
        return self._values(name, self.panel.fields[name], row)

    def prices(self, row: int) -> FloatArray:
        """Total-return closes with their future scrambled; that theirs do not depend on it has tests of its own."""
        return self._values("prices", self.panel.prices, row)

    def flags(self, name: str, row: int) -> BoolArray:
        """Members, or active assets, each of them the opposite in the future."""
        self._refuse_earlier(row)
        if name not in self._flags:
            true = self.panel.member if name == "member" else self.panel.active
            self._flags[name] = _Spliced(true, row, np.logical_not(true))
        return self._flags[name].after(row)

    def names(self) -> Mapping[Field, FloatArray]:
        """The fields that there are."""
        return self.panel.fields

    def _values(self, name: str, true: FloatArray, row: int) -> FloatArray:
        self._refuse_earlier(row)
        if name not in self._spliced:
            self._spliced[name] = _Spliced(true, row, _scrambled_after(true, row, self._generator))
        return self._spliced[name].after(row)

    def _refuse_earlier(self, row: int) -> None:
        if row < self._row:
            raise ValueError(f"row {row} comes before one that was asked for: rows must increase")

    def conversion(self, row: int) -> Conversion | None:
        """The conversion with its future rates scrambled."""
        conversion = self.panel.conversion
        return None if conversion is None else replace(conversion, rates=self._values("rates", conversion.rates, row))


class _ScrambledPanel(PricePanel):
    """Computes nothing that is not looked at; what is asked for up to its row is the past, and lies in the panel."""

    def __init__(self, futures: ScrambledFutures, row: int) -> None:
        panel = futures.panel
        # Nothing to check: the values are those of a panel, or as valid.
        vars(self).update(
            sessions=panel.sessions,
            tickers=panel.tickers,
            fields=_Fields(futures, row),
            actions=panel.actions.between(0, row + 1),
            terminal_returns=None,
            has_checked_values=True,
            _futures=futures,
            _row=row,
        )

    _futures: ScrambledFutures
    _row: int

    @cached_property
    def member(self) -> BoolArray:
        return self._futures.flags("member", self._row)

    @cached_property
    def conversion(self) -> Conversion | None:
        return self._futures.conversion(self._row)

    @cached_property
    def prices(self) -> FloatArray:
        return self._futures.prices(self._row)

    @cached_property
    def active(self) -> BoolArray:
        return self._futures.flags("active", self._row)

    def active_on(self, rows: IntArray | int) -> BoolArray:
        return self._futures.panel.active_on(rows) if self._is_past(rows) else self.active[rows]

    def prices_until(self, row: int) -> FloatArray:
        return self._futures.panel.prices_until(row) if self._is_past(row) else self.prices[: row + 1]

    def _is_past(self, rows: IntArray | int) -> bool:
        """Whether these are row numbers up to the last true one; -1 is the last session, and so of the future."""
        numbers = np.asarray(rows)
        return numbers.dtype.kind == "i" and bool(((numbers >= 0) & (numbers <= self._row)).all())


class _Fields(Mapping[Field, FloatArray]):
    """The fields of a scrambled panel, made when they are looked at."""

    def __init__(self, futures: ScrambledFutures, row: int) -> None:
        self._futures, self._row = futures, row

    def __getitem__(self, name: Field) -> FloatArray:
        return self._futures.field(name, self._row)

    def __iter__(self) -> Iterator[Field]:
        return iter(self._futures.names())

    def __len__(self) -> int:
        return len(self._futures.names())


class _Spliced(Generic[Value]):
    """An array whose past is true up to a row that only grows."""

    def __init__(self, true: NDArray[Value], row: int, values: NDArray[Value]) -> None:
        self._true: NDArray[Value] = true
        self._values: NDArray[Value] = values
        self._values[: row + 1] = true[: row + 1]
        self._done = row + 1

    def after(self, row: int) -> NDArray[Value]:
        self._values[self._done : row + 1] = self._true[self._done : row + 1]
        self._done = row + 1
        view = self._values[:]
        view.flags.writeable = False
        return view


def _scrambled_after(true: FloatArray, row: int, generator: np.random.Generator) -> FloatArray:
    """Values whose rows after `row` are another future; those up to it are left to be filled in.

    Time runs backwards, sessions and assets are scaled, a tenth of the values is missing, and what was missing is 1.
    """
    result = np.empty(true.shape)
    future, other = true[row + 1 :][::-1], result[row + 1 :]
    by_session = generator.uniform(0.2, 5.0, size=(future.shape[0], 1))
    by_asset = generator.uniform(0.2, 5.0, size=future.shape[1])
    for first in range(0, future.shape[0], _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        part = np.multiply(future[rows], by_asset, out=other[rows])
        part *= by_session[rows]
        part[np.isnan(part)] = 1.0
        gone = generator.integers(0, part.size, size=int(_MISSING * part.size) + 1)
        part.reshape(-1)[gone] = np.nan
    return result
