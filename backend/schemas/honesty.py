"""What speaks for and against trusting a result: the part that follows from its spec, and the part that grows."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from backend.schemas.facts import RestatementOut
from backend.schemas.model import Model


class LookaheadOut(Model):
    """Decisions recomputed with the future scrambled."""

    checked: list[str] = Field(description="Sessions checked.")
    is_identical: bool


class TrackRecordOut(Model):
    """Evidence of a Sharpe ratio above zero, of one result alone (Bailey and Lopez de Prado 2012)."""

    sharpe: float | None = Field(description="Of session returns, not annualised. None: they do not vary.")
    n_returns: int
    probabilistic_sharpe: float | None = Field(description="Probability that the true ratio is above zero.")
    minimum_length: float | None = Field(description="Sessions until such a ratio is above zero. None: never.")
    confidence: float = Field(description="Of the minimum length.")


class DelistedOut(Model):
    """Held names that were later delisted."""

    n_names: int
    names: list[str] = Field(description="At most 50, those held longest and largest first.")
    capital_share: float | None = Field(description="Of the value held, summed over sessions; a fraction.")
    profit: float = Field(description="Base currency.")
    profit_share: float | None = Field(description="Of the final profit, a fraction.")


class YearOfMembersOut(Model):
    """Dated members of a year, and those of them without bars; means over its sessions."""

    year: int
    members: float
    missing: float


class MissingMemberOut(Model):
    """A member without bars."""

    ticker: str
    n_sessions: int
    first: dt.date
    last: dt.date


class MissingMembersOut(Model):
    """Dated members that the panel lacks."""

    n_dated: int
    n_undated: int = Field(description="Members of whom nobody said since when: a list of today's survivors.")
    n_names: int
    share: float | None = Field(description="Mean of missing over dated members. None: no member is dated.")
    years: list[YearOfMembersOut]
    names: list[MissingMemberOut] = Field(description="At most 50, those missing longest first.")


class LossScenarioOut(Model):
    """The result had every name that vanished, and every one that is missing, returned `loss`."""

    loss: float = Field(description="-0.3: the mean of performance delistings (Shumway 1997); -1: the bound.")
    final_equity: float
    total_return: float
    cagr: float | None
    cagr_gap: float | None = Field(description="Growth a year that this costs, a fraction.")


class SurvivorshipOut(Model):
    """What survivorship does to the result."""

    delisted: DelistedOut
    missing: MissingMembersOut
    scenarios: list[LossScenarioOut]


class BarCountsOut(Model):
    """Bars by quality, and the suspect ones by the rule that they break."""

    good: int
    suspect: int
    rules: dict[str, int]


class BarsUsedOut(Model):
    """Bars that the result stands on."""

    read: BarCountsOut = Field(description="Every bar up to the last decision.")
    held: BarCountsOut = Field(description="Bars of sessions on which the asset was held or traded.")


class HonestyOut(Model):
    """What follows from the spec; how many trials there were is at `/backtest/{id}/honesty`."""

    lookahead: LookaheadOut
    quality: dict[str, int] = Field(description="Bars of the whole snapshot.")
    delisted: int = Field(description="Holdings sold because they were delisted.")
    track_record: TrackRecordOut | None = Field(default=None, description="None: stored by an older engine.")
    survivorship: SurvivorshipOut | None = None
    bars: BarsUsedOut | None = Field(default=None, description="None: of an older snapshot or engine.")


class TrialStatisticsOut(Model):
    """Trials so far, and what is left of the result's Sharpe ratio against them."""

    n_trials: int = Field(description="Distinct designs: specs that differ in more than their snapshot and engine.")
    n_specs: int = Field(description="Distinct specs.")
    sharpe_variance: float = Field(description="Of the trials' Sharpe ratios per session.")
    expected_maximum_sharpe: float = Field(description="Per session, of the best of so many without skill.")
    deflated_sharpe: float | None = Field(description="Probability that the result is better than that.")
    n_clustered: int = Field(description="Of the newest 300 trials, those that were compared with each other.")
    n_independent: int = Field(description="Clusters; what was not looked at is taken to cluster in proportion.")
    deflated_sharpe_independent: float | None = Field(description="Against the independent trials only.")


class LiveHonestyOut(Model):
    """A result among all trials so far; it changes with every trial (Bailey and Lopez de Prado 2014)."""

    id: str
    as_of: dt.datetime
    strategy: str
    sharpe: float | None = Field(description="Of session returns, not annualised.")
    n_returns: int
    family: TrialStatisticsOut = Field(description="Trials of the same strategy.")
    account: TrialStatisticsOut = Field(description="Every trial of the ledger.")


class MetricDifferenceOut(Model):
    """A figure on both snapshots."""

    key: str
    unit: str
    value: float | str | None
    other: float | str | None
    difference: float | None = Field(description="Other less value. None: one of them is no number.")


class RestatedBacktestOut(Model):
    """A stored backtest beside the same spec as known at another moment; it is no further trial."""

    id: str
    other_id: str = Field(description="The other run, a backtest like any other.")
    as_of: dt.datetime
    other_as_of: dt.datetime
    metrics: list[MetricDifferenceOut]
    changes: list[RestatementOut] = Field(description="Facts up to its end that said something else at the earlier.")
    is_complete: bool = Field(description="Whether these are all of them; at most 500 bars are listed.")
