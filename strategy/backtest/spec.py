"""The spec of a backtest: everything its result depends on. The hash of its canonical JSON is the backtest id."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from strategy.backtest.costs import CostModel
from strategy.errors import ExecutionError
from strategy.schedule import FREQUENCIES, Rebalance

#: Raised whenever the same spec may give another result.
ENGINE_VERSION = 1

Fill = Literal["next_open", "next_close"]


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
    initial_cash : float
        Base currency, > 0.
    cash_rate : float
        Interest on cash held overnight, fraction a year, accrued by session.
    delist_after : int
        Sessions in a row without a close after which a holding is sold as delisted.
    delisting_return : float
        Return on the last close at which a delisted holding is sold, -1 to 1.
    """

    fill: Fill = "next_open"
    rebalance: Rebalance | None = None
    fractional_shares: bool = True
    initial_cash: float = 100_000.0
    cash_rate: float = 0.0
    delist_after: int = 10
    delisting_return: float = 0.0

    def __post_init__(self) -> None:
        _require("fill", self.fill, is_valid=self.fill in get_args(Fill), rule="next_open or next_close")
        is_known = self.rebalance is None or self.rebalance in FREQUENCIES
        _require("rebalance", self.rebalance, is_valid=is_known, rule=f"one of {', '.join(FREQUENCIES)}")
        is_valid = math.isfinite(self.initial_cash) and self.initial_cash > 0
        _require("initial_cash", self.initial_cash, is_valid=is_valid, rule="above zero")
        is_valid = -0.05 <= self.cash_rate <= 0.25  # noqa: PLR2004  the bounds of the rule
        _require("cash_rate", self.cash_rate, is_valid=is_valid, rule="between -0.05 and 0.25")
        _require("delist_after", self.delist_after, is_valid=self.delist_after >= 1, rule="at least 1 session")
        is_valid = -1 <= self.delisting_return <= 1
        _require("delisting_return", self.delisting_return, is_valid=is_valid, rule="between -1 and 1")
        for name in ("initial_cash", "cash_rate", "delisting_return"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def with_rebalance(self, rebalance: Rebalance) -> Execution:
        """The same execution on another schedule."""
        return replace(self, rebalance=rebalance)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSpec:
    """Everything a result depends on; `parameters` are plain JSON values with every default filled in.

    `fx_snapshot` holds the rates into `base_currency`; None: it is the currency of the quotes.
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

    def canonical_json(self) -> bytes:
        """The one JSON text of this spec: keys sorted, no white space, dates in ISO form, no NaN."""
        body = asdict(self) | {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")

    @property
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
            }
        )


def _require(name: str, value: object, *, is_valid: bool, rule: str) -> None:
    if not is_valid:
        raise ExecutionError(name, value, f"must be {rule}")
