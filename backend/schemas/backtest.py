"""Requests and responses of /backtest. Unknown fields are refused; sizes are bounded."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from backend.schemas.honesty import HonestyOut
from backend.schemas.meta import MetaOut
from backend.schemas.model import Model, Strict
from strategy.schedule import Rebalance


def _figure(title: str, description: str, *, most: float, unit: str) -> Any:  # Any: the annotation is the type
    return Field(default=None, ge=0, le=most, title=title, description=description, json_schema_extra={"unit": unit})


class CostsIn(Strict):
    """Costs of each order. Give a preset, or your own figures; own figures replace its figures; its tiers stay."""

    preset: str = Field(default="ten_bps", max_length=40, description="Named cost model to start from.")
    flat: float | None = _figure("Flat", "On each order.", most=1e6, unit="quote currency")
    per_share: float | None = _figure("Per share", "On each share.", most=1e3, unit="quote currency")
    bps: float | None = _figure("Commission", "On the traded value.", most=1_000, unit="bp")
    half_spread_bps: float | None = _figure("Half spread", "Half of bid to ask.", most=1_000, unit="bp")
    fx_margin_bps: float | None = _figure("Currency margin", "On assets in a foreign currency.", most=1_000, unit="bp")
    impact: float | None = _figure(
        "Market impact",
        "Times volatility times the root of order to mean volume, of the 20 sessions before the fill.",
        most=10,
        unit="coefficient",
    )
    minimum: float | None = _figure("Minimum", "Least commission of an order.", most=1e6, unit="quote currency")
    maximum_bps: float | None = _figure(
        "Maximum", "Cap of the commission, which goes before the minimum.", most=10_000, unit="bp"
    )


class ExecutionIn(Strict):
    """How decisions become fills."""

    fill: Literal["next_open", "next_close"] = Field(default="next_open", description="Price of the next session.")
    rebalance: Rebalance | None = Field(default=None, description="Schedule; None is the strategy's own.")
    fractional_shares: bool = Field(default=True, description="Whether parts of a share can be traded.")
    initial_cash: float = Field(
        default=100_000.0, gt=0, le=1e12, description="Cash at the start.", json_schema_extra={"unit": "base currency"}
    )
    cash_rate: float = Field(
        default=0.0,
        ge=-0.05,
        le=0.25,
        description="Interest on cash held overnight.",
        json_schema_extra={"unit": "fraction a year"},
    )
    delist_after: int = Field(
        default=10,
        ge=1,
        le=260,
        description="Without a price for so long, a holding is sold as delisted.",
        json_schema_extra={"unit": "sessions"},
    )
    delisting_return: float = Field(
        default=0.0,
        ge=-1,
        le=1,
        description="Return on the last price of a delisted holding, where its terminal return is not known.",
        json_schema_extra={"unit": "fraction"},
    )
    lot_size: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="Shares of which every order is a multiple; above 1 without fractional shares only.",
        json_schema_extra={"unit": "shares"},
    )
    minimum_order: float = Field(
        default=0.0,
        ge=0,
        le=1e9,
        description="An order of less value is not placed.",
        json_schema_extra={"unit": "base currency"},
    )
    volume_cap: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Most that an order may be of the mean volume of the 20 sessions before. Empty: no cap.",
        json_schema_extra={"unit": "fraction"},
    )
    unfilled: Literal["carry", "drop"] = Field(
        default="carry",
        description="What the cap leaves of an order: go on until the next decision, or give up.",
    )
    maximum_turnover: float | None = Field(
        default=None,
        gt=0,
        le=2,
        description="Most that a rebalance may trade, purchases and sales halved; all shrink alike. Empty: no limit.",
        json_schema_extra={"unit": "fraction of equity"},
    )
    dividends: Literal["cash", "reinvest"] = Field(
        default="cash", description="Kept in cash, or spent on shares of the payer on the ex-date, at no cost."
    )
    allow_short: bool = Field(default=False, description="Whether weights may be negative.")
    borrow_rate: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Loan fee of what is sold short.",
        json_schema_extra={"unit": "fraction a year"},
    )
    initial_margin: float = Field(
        default=0.5,
        ge=0.05,
        le=1,
        description="Least equity of a decision with shorts, of the gross value held.",
        json_schema_extra={"unit": "fraction"},
    )
    maintenance_margin: float = Field(
        default=0.25,
        ge=0.01,
        le=1,
        description="Below it, holdings with shorts are cut at the next fill to meet the initial margin.",
        json_schema_extra={"unit": "fraction"},
    )


def _bound(title: str, description: str, default: float | None = None) -> Any:  # Any: the annotation is the type
    return Field(
        default=default,
        ge=-10,
        le=10,
        title=title,
        description=description,
        json_schema_extra={"unit": "fraction of value"},
    )


class GroupIn(Strict):
    """Assets, such as a sector, whose weights together have bounds."""

    name: str = Field(max_length=80)
    tickers: list[str] = Field(min_length=1, max_length=5_000)
    minimum: float | None = _bound("Minimum", "Least sum of their weights; None: no bound.")
    maximum: float | None = _bound("Maximum", "Largest sum of their weights; None: no bound.")


class ConstraintsIn(Strict):
    """What every decision's weights must keep: they are replaced by the nearest ones that do."""

    min_weight: float | None = _bound(
        "Least weight", "Of an asset that the strategy gives one; None: 0, or minus the largest where it is sold short."
    )
    max_weight: float = _bound("Largest weight", "Of an asset.", 1.0)
    net_min: float | None = _bound("Least net", "Sum of weights, the rest is cash; None: no bound.")
    net_max: float | None = _bound("Largest net", "Sum of weights; None: no bound.", 1.0)
    gross: float | None = _bound("Gross", "Largest sum of absolute weights; None: no bound.")
    turnover: float | None = _bound("Turnover", "Largest sum of absolute changes of a decision; None: no bound.")
    groups: list[GroupIn] = Field(default_factory=list, max_length=200)


class BacktestIn(Strict):
    """A backtest to run. What is left out is resolved and stated in the spec of the result."""

    strategy: str = Field(max_length=80, examples=["dual_momentum"])
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=50, description="See /strategies/{key}.")
    universe: str = Field(max_length=80, examples=["SAMPLE_US20"])
    start: dt.date | None = Field(default=None, description="First session; None is the first of the snapshot.")
    end: dt.date | None = Field(default=None, description="Last session; None is the last of the snapshot.")
    costs: CostsIn = Field(default_factory=CostsIn)
    execution: ExecutionIn = Field(default_factory=ExecutionIn)
    benchmark: str | None = Field(
        default=None, max_length=40, description="A ticker; None is the universe's, or its buy-and-hold."
    )
    snapshot: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="Snapshot id; None is the newest of the universe."
    )
    base_currency: str | None = Field(
        default=None,
        pattern="^[A-Z]{3}$",
        description="ISO 4217 code of cash and values; None is the currency of the universe's quotes.",
    )
    fx_snapshot: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="Snapshot of the rates into another base currency; None is the newest of the universe FX.",
    )
    constraints: ConstraintsIn | None = Field(default=None, description="Of weights; None: as the strategy decides.")


class CostTierOut(Model):
    """Commission of orders of a value up to `up_to`, quote currency; None: of any value."""

    up_to: float | None
    flat: float
    bps: float


class CostPresetOut(Model):
    """A named cost model; the schema of costs has the unit of each figure."""

    key: str
    description: str
    figures: dict[str, float | None] = Field(description="None: no cap.")
    tiers: list[CostTierOut] = Field(description="By value of the order; what they charge comes on top of the figures.")
    currency: str | None = Field(description="Of the amounts; None: there is none.")
    as_of: dt.date | None = Field(description="When the price list was known to be so; None: it is nobody's.")
    source: str | None = Field(description="Where the broker publishes it.")
    leaves_out: str


class SettingsOut(Model):
    """What a backtest can be run with: a form is drawn from this."""

    presets: list[CostPresetOut]
    costs: dict[str, Any] = Field(description="JSON schema of `costs`: bounds, units, descriptions.")
    execution: dict[str, Any] = Field(description="JSON schema of `execution`.")
    constraints: dict[str, Any] = Field(description="JSON schema of `constraints`.")


class MetricOut(Model):
    """One figure with its definition; value None: undefined for this result."""

    key: str
    value: float | str | None
    unit: str
    definition: str


class BenchmarkOut(Model):
    """What the strategy is compared with."""

    kind: Literal["ticker", "universe_buy_and_hold"]
    ticker: str | None
    definition: str


class BacktestOut(Model):
    """The document of a backtest. Its bytes are the same for every request of the same spec."""

    id: str
    spec: dict[str, Any]
    first_session: dt.date
    last_session: dt.date
    n_sessions: int
    metrics: list[MetricOut]
    benchmark: BenchmarkOut
    books: dict[str, float] = Field(description="Reconciliation of final equity, base currency.")
    honesty: HonestyOut
    tables: dict[str, str] = Field(description="Keys of the Parquet tables in the cache.")
    meta: MetaOut


class BacktestRow(Model):
    """One line of the list of backtests."""

    id: str
    created_at: dt.datetime
    strategy: str
    universe: str
    start: dt.date
    end: dt.date
    metrics: dict[str, float | str | None]


class BacktestPage(Model):
    """Backtests, newest first."""

    data: list[BacktestRow]
    next_cursor: str | None


class TablePage(Model):
    """Rows of a result table as columns."""

    id: str
    columns: dict[str, list[Any]]
    next_cursor: str | None = None


class TrialsOut(Model):
    """How many distinct designs were ever tried: specs that differ in more than their snapshot and engine."""

    total: int
    n_specs: int = Field(description="Distinct specs that they were run as.")
    by_strategy: dict[str, int]
