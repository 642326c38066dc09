"""The spec of a backtest: everything its result depends on. The hash of its canonical JSON is the backtest id."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

from strategy.allocation.constraints import Constraints
from strategy.backtest.costs import CostModel
from strategy.errors import ExecutionError
from strategy.schedule import FREQUENCIES, Rebalance

#: Raised whenever the same spec may give another result.
ENGINE_VERSION = 2

Fill = Literal["next_open", "next_close"]
Unfilled = Literal["carry", "drop"]
Dividends = Literal["cash", "reinvest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How decisions become fills.

    Parameters
    ----------
    fill : {"next_open", "next_close"}
        Price of the session after the decision at which orders fill.
    rebalance : Rebalance or None
        Schedule of decisions; None is the strategy's own, resolved before a spec is hashed.
    fractional_shares : bool
        Whether parts of a share can be traded.
    lot_size : int
        Shares of which every order is a multiple, where parts of a share cannot be traded.
    minimum_order : float
        Base currency; an order of less value is not placed.
    volume_cap : float or None
        Most of the mean volume of the 20 sessions before a fill that one session's order may be, above 0 to 1; None: no
        cap. An asset whose volume is not known is not traded then.
    unfilled : {"carry", "drop"}
        What the cap leaves of an order: go on in the following sessions until the next decision, or give up.
    maximum_turnover : float or None
        Most that a rebalance may trade, purchases and sales together halved, as a fraction of equity; None: any.
    dividends : {"cash", "reinvest"}
        Dividends of shares held go to cash, or buy shares of the payer at the ex-date's fill price at no cost.
    allow_short : bool
        Whether weights may be negative.
    borrow_rate : float
        Loan fee of what is sold short, fraction of its value a year, accrued by session.
    initial_margin, maintenance_margin : float
        Equity as a fraction of the gross value held. Of a decision at least the first; when shorts are held and a close
        falls below the second, holdings are cut in proportion at the next fill to meet the first.
    initial_cash : float
        Base currency, > 0.
    cash_rate : float
        Interest on free cash held overnight, fraction a year, accrued by session. Proceeds of short sales earn none.
    delist_after : int
        Sessions in a row without a close after which a holding is sold as delisted.
    delisting_return : float
        Return on the last close at which a delisted holding is sold where the terminal return is not known, -1 to 1.
    """

    fill: Fill = "next_open"
    rebalance: Rebalance | None = None
    fractional_shares: bool = True
    lot_size: int = 1
    minimum_order: float = 0.0
    volume_cap: float | None = None
    unfilled: Unfilled = "carry"
    maximum_turnover: float | None = None
    dividends: Dividends = "cash"
    allow_short: bool = False
    borrow_rate: float = 0.0
    initial_margin: float = 0.5
    maintenance_margin: float = 0.25
    initial_cash: float = 100_000.0
    cash_rate: float = 0.0
    delist_after: int = 10
    delisting_return: float = 0.0

    def __post_init__(self) -> None:
        self._check_choices()
        self._check_figures()
        for field in fields(self):
            value = getattr(self, field.name)
            # 1 and 1.0 are one figure, and one backtest id.
            if field.type.startswith("float") and value is not None:
                object.__setattr__(self, field.name, float(value))

    def with_rebalance(self, rebalance: Rebalance) -> Execution:
        """The same execution on another schedule."""
        return replace(self, rebalance=rebalance)

    def _check_choices(self) -> None:
        for name, kind in (("fill", Fill), ("unfilled", Unfilled), ("dividends", Dividends)):
            value = getattr(self, name)
            _require(name, value, is_valid=value in get_args(kind), rule=" or ".join(get_args(kind)))
        is_known = self.rebalance is None or self.rebalance in FREQUENCIES
        _require("rebalance", self.rebalance, is_valid=is_known, rule=f"one of {', '.join(FREQUENCIES)}")
        has_lots = self.lot_size == 1 or not self.fractional_shares
        _require("lot_size", self.lot_size, is_valid=has_lots, rule="1, or fractional_shares false")

    def _check_figures(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            is_valid = value is None if value is None or not math.isfinite(value) else low <= value <= high
            _require(name, value, is_valid=is_valid, rule=f"between {low:g} and {high:g}")
        _require("initial_cash", self.initial_cash, is_valid=self.initial_cash > 0, rule="above zero")
        for name in ("volume_cap", "maximum_turnover"):
            value = getattr(self, name)
            _require(name, value, is_valid=value is None or value > 0, rule="above zero, or null for none")
        is_valid = self.maintenance_margin <= self.initial_margin
        _require("maintenance_margin", self.maintenance_margin, is_valid=is_valid, rule="at most initial_margin")


#: Least and largest value of each figure of `Execution`.
_BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "lot_size": (1, 1e6),
        "minimum_order": (0, 1e9),
        "volume_cap": (0, 1),
        "maximum_turnover": (0, 2),
        "borrow_rate": (0, 1),
        "initial_margin": (0.05, 1),
        "maintenance_margin": (0.01, 1),
        "initial_cash": (0, 1e15),
        "cash_rate": (-0.05, 0.25),
        "delist_after": (1, 10_000),
        "delisting_return": (-1, 1),
    }
)


@dataclass(frozen=True, kw_only=True)
class BacktestSpec:
    """Everything a result depends on; `parameters` are plain JSON values with every default filled in.

    Not slotted, because its text and its id are computed once, when first asked for.

    `fx_snapshot` holds the rates into `base_currency`; None: it is the currency of the quotes. `constraints` None: the
    strategy's weights are traded as they are.
    """

    strategy: str
    strategy_version: int
    parameters: Mapping[str, Any]  # Any: JSON values
    universe: str
    start: dt.date
    end: dt.date
    base_currency: str
    costs: CostModel
    execution: Execution
    benchmark: str | None
    snapshot: str
    engine_version: int = ENGINE_VERSION
    fx_snapshot: str | None = None
    constraints: Constraints | None = None

    def canonical_json(self) -> bytes:
        """The one JSON text of this spec: keys sorted, no white space, dates in ISO form, no NaN."""
        return self._text

    @cached_property
    def _text(self) -> bytes:
        body = asdict(self) | {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")

    @cached_property
    def backtest_id(self) -> str:
        """sha256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical_json()).hexdigest()

    @classmethod
    def from_json(cls, text: bytes | str) -> BacktestSpec:
        """The spec of a canonical JSON text; its id is that of the text."""
        body = json.loads(text)
        return cls(
            **body
            | {
                "start": dt.date.fromisoformat(body["start"]),
                "end": dt.date.fromisoformat(body["end"]),
                "costs": CostModel.from_json(body["costs"]),
                "execution": Execution(**body["execution"]),
                "constraints": Constraints.from_json(body.get("constraints")),
            }
        )


def _require(name: str, value: object, *, is_valid: bool, rule: str) -> None:
    if not is_valid:
        raise ExecutionError(name, value, f"must be {rule}")
