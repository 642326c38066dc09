"""Panels that agree with one panel up to a session, and in nothing after it.

Proofs ask for many of them, and a copy of everything for each would cost more than the backtest that is proved. So the
future is scrambled once for each array that is looked at, behind the first session asked for; for every later session
the true past is copied over it up to there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
        self._panel = panel
        self._generator = generator
        self._spliced: dict[str, _Spliced[np.float64]] = {}
        self._flags: dict[str, _Spliced[np.bool_]] = {}

    def after(self, row: int) -> PricePanel:
        """The panel with everything after a row replaced; valid until the next is asked for, of a later row."""
        panel = self._panel
        return _ScrambledPanel(
            sessions=panel.sessions,
            tickers=panel.tickers,
            fields=_Fields(self, row),
            actions=panel.actions.between(0, row + 1),
            member=self.flags("member", row),
            conversion=self._conversion(row),
            futures=self,
            row=row,
        )

    def field(self, name: Field, row: int) -> FloatArray:
        """A field with its future scrambled."""
        return self._values(name, self._panel.fields[name], row)

    def prices(self, row: int) -> FloatArray:
        """Total-return closes with their future scrambled; that theirs do not depend on it has tests of its own."""
        return self._values("prices", self._panel.prices, row)

    def flags(self, name: str, row: int) -> BoolArray:
        """Members, or active assets, each of them the opposite in the future."""
        if name not in self._flags:
            true = self._panel.member if name == "member" else self._panel.active
            self._flags[name] = _Spliced(true, row, np.logical_not(true))
        return self._flags[name].after(row)

    def names(self) -> Mapping[Field, FloatArray]:
        """The fields that there are."""
        return self._panel.fields

    def _values(self, name: str, true: FloatArray, row: int) -> FloatArray:
        if name not in self._spliced:
            self._spliced[name] = _Spliced(true, row, _scrambled_after(true, row, self._generator))
        return self._spliced[name].after(row)

    def _conversion(self, row: int) -> Conversion | None:
        conversion = self._panel.conversion
        return None if conversion is None else replace(conversion, rates=self._values("rates", conversion.rates, row))


@dataclass(frozen=True, kw_only=True)
class _ScrambledPanel(PricePanel):
    """Computes nothing that is not looked at."""

    futures: ScrambledFutures
    row: int

    def __post_init__(self) -> None:
        """Nothing to check: the values are those of a panel, or as valid."""

    @cached_property
    def prices(self) -> FloatArray:
        return self.futures.prices(self.row)

    @cached_property
    def active(self) -> BoolArray:
        return self.futures.flags("active", self.row)

    def active_on(self, rows: IntArray | int) -> BoolArray:
        is_active: BoolArray = self.active[rows]  # of the closes nothing need be scrambled for it
        return is_active


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
        if row + 1 < self._done:
            raise ValueError(f"row {row} comes before one that was asked for: rows must increase")
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
