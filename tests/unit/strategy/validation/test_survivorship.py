"""The survivorship audit, computed by hand on panels of a few sessions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from strategy.adjustments import CorporateActions
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.run import BacktestResult, run_backtest
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.library.equal_weight import EQUAL_WEIGHT, EqualWeightParameters
from strategy.panel import BoolArray, FloatArray, PricePanel
from strategy.universe import SINCE_EVER, Membership
from strategy.validation.absence import MissingMember, YearOfMembers, absence
from strategy.validation.survivorship import survivorship_audit
from support.panels import business_days, panel_of

NAN = np.nan
#: A stays at 10 but for the last session, B dies after the third session, at 5.
DYING = np.array([[10, 10], [10, 10], [10, 5], [10, NAN], [10, NAN], [12, NAN]], dtype=np.float64)


def spec_of(panel: PricePanel, **execution: float) -> BacktestSpec:
    return BacktestSpec(
        strategy="equal_weight",
        strategy_version=1,
        parameters={"tickers": []},
        universe="U",
        start=dt.date.fromisoformat(str(panel.sessions[0])),
        end=dt.date.fromisoformat(str(panel.sessions[-1])),
        base_currency="USD",
        costs=PRESETS["zero"],
        execution=Execution(rebalance="once", delist_after=2, initial_cash=100.0, **execution),  # type: ignore[arg-type]
        benchmark=None,
        snapshot="0" * 64,
    )


def run(panel: PricePanel, spec: BacktestSpec) -> BacktestResult:
    return run_backtest(panel, spec, EQUAL_WEIGHT, EqualWeightParameters())


def stay(ticker: str, first: str = "2020-01-01", last: str | None = None) -> Membership:
    end = None if last is None else dt.date.fromisoformat(last)
    return Membership(ticker=ticker, start_date=dt.date.fromisoformat(first), end_date=end)


def closes(*, dividend: float = 0.0) -> PricePanel:
    actions = CorporateActions.none()
    if dividend:
        one = np.array([2], dtype=np.intp)
        actions = CorporateActions(
            rows=one, columns=one - 1, split_ratios=np.array([2.0]), dividends=np.array([dividend])
        )
    return panel_of(DYING, actions=actions)


def test_capital_and_profit_in_names_that_died_are_counted() -> None:
    # 5 shares of each from the second session on. B is worth 50, 25, 25 until it is sold at the close of the fifth;
    # A 50, 50, 50, 50, 60. Sold for 25, it lost 25 where A won 10.
    panel = closes()
    delisted = survivorship_audit(panel, spec_of(panel), run(panel, spec_of(panel)), []).delisted
    assert (delisted.n_names, delisted.names) == (1, ("T001",))
    assert delisted.capital_share == pytest.approx(100 / (100 + 260))
    assert delisted.profit == pytest.approx(-25)
    assert delisted.profit_share == pytest.approx(-25 / -15)


def test_splits_and_dividends_of_names_that_died_are_part_of_their_profit() -> None:
    # 2 for 1 in the third session: 10 shares at 5, each of which pays 0.5; so nothing is lost, and 5 are won.
    panel = closes(dividend=0.5)
    delisted = survivorship_audit(panel, spec_of(panel), run(panel, spec_of(panel)), []).delisted
    assert delisted.profit == pytest.approx(5)


def test_without_a_death_and_with_everybody_there_scenarios_are_the_result() -> None:
    panel = panel_of(np.array([[10.0, 10], [10, 11], [11, 12]]))
    result = run(panel, spec_of(panel))
    audit = survivorship_audit(panel, spec_of(panel), result, [stay("T000"), stay("T001")])
    assert audit.delisted.n_names == 0
    assert audit.delisted.capital_share == 0
    assert (audit.missing.n_names, audit.missing.share) == (0, 0)
    for scenario in audit.scenarios:
        assert scenario.final_equity == result.simulation.equity[-1]
        assert scenario.cagr_gap == 0


def test_what_was_delisted_is_sold_at_the_loss_of_the_scenario() -> None:
    # The last value of B was 25: sold at 17.50 and at nothing, beside 60 of A.
    panel = closes()
    audit = survivorship_audit(panel, spec_of(panel), run(panel, spec_of(panel)), [])
    assert [scenario.loss for scenario in audit.scenarios] == [-0.3, -1.0]
    assert [scenario.final_equity for scenario in audit.scenarios] == pytest.approx([77.5, 60.0])
    assert [scenario.total_return for scenario in audit.scenarios] == pytest.approx([-0.225, -0.4])


def test_a_scenario_is_never_milder_than_the_spec_itself() -> None:
    panel = closes()
    spec = spec_of(panel, delisting_return=-0.5)
    result = run(panel, spec)
    mild, bound = survivorship_audit(panel, spec, result, []).scenarios
    assert mild.final_equity == result.simulation.equity[-1] == pytest.approx(72.5)
    assert bound.final_equity == pytest.approx(60.0)


def flat(n_dates: int = 5, n_assets: int = 3) -> PricePanel:
    return panel_of(np.full((n_dates, n_assets), 10.0), sessions=business_days(n_dates))


def test_members_without_bars_are_held_in_proportion_and_written_down() -> None:
    # Three of four members are there. One quarter of the whole is GONE's, for all five sessions, and loses a fifth of
    # its loss on each; the first return is earned in cash, and the decision of the last session earns none.
    panel = flat()
    spec = spec_of(panel)
    stays = [stay(f"T00{number}") for number in range(3)] + [stay("GONE")]
    audit = survivorship_audit(panel, spec, run(panel, spec), stays)
    step = 0.25 / 5
    assert audit.scenarios[0].final_equity == pytest.approx(100 * (1 - 0.3 * step) ** 3)
    assert audit.scenarios[1].final_equity == pytest.approx(100 * (1 - step) ** 3)
    gap = audit.scenarios[1].cagr_gap
    assert gap is not None
    assert gap > 0


def test_the_missing_part_earns_nothing_of_what_the_others_earn() -> None:
    # Two assets gain 10 % in the last session; of two further members nothing is known, so half of it is not earned.
    panel = panel_of(np.array([[10.0, 10], [10, 10], [11, 11]]))
    spec = spec_of(panel)
    stays = [stay(name) for name in ("T000", "T001", "GONE", "LOST")]
    scenario = survivorship_audit(panel, spec, run(panel, spec), stays).scenarios[1]
    assert scenario.total_return == pytest.approx(0.5 * 0.1 - 2 * (1 / 4) * (1 / 3))


def test_who_is_missing_is_known_by_date() -> None:
    # Sessions 2020-01-01 to 2020-01-08. T001 has no bar after the third one and is missing two sessions later; EARLY
    # left before the third session, and LATE came with the last two: neither has any bar.
    panel = panel_of(DYING)
    stays = [stay("T000"), stay("T001"), stay("EARLY", last="2020-01-02"), stay("LATE", "2020-01-07")]
    absent = absence(panel, np.arange(6), stays, grace=2)
    assert absent.n_members.tolist() == [3, 3, 2, 2, 3, 3]
    assert absent.missing.sum(axis=1).tolist() == [1, 1, 0, 0, 2, 2]
    summary = absent.summary()
    assert summary.share == pytest.approx((1 / 3 + 1 / 3 + 2 / 3 + 2 / 3) / 6)
    assert summary.years == (YearOfMembers(year=2020, members=16 / 6, missing=1.0),)
    assert summary.names == (
        MissingMember(ticker="EARLY", n_sessions=2, first="2020-01-01", last="2020-01-02"),
        MissingMember(ticker="LATE", n_sessions=2, first="2020-01-07", last="2020-01-08"),
        MissingMember(ticker="T001", n_sessions=2, first="2020-01-07", last="2020-01-08"),
    )


def test_a_member_is_missing_before_its_first_bar_and_not_in_a_hole() -> None:
    close: FloatArray = np.array([[NAN], [NAN], [10], [NAN], [NAN], [NAN], [10]])
    absent = absence(panel_of(close), np.arange(7), [stay("T000")], grace=1)
    assert absent.missing[:, 0].tolist() == [True, True, False, False, False, False, False]


@given(bars=arrays(np.bool_, (8, 3)), span=st.tuples(st.integers(0, 7), st.integers(0, 7)), grace=st.integers(1, 4))
def test_who_is_missing_is_so_by_the_letter_whatever_bars_there_are(
    bars: BoolArray, span: tuple[int, int], grace: int
) -> None:
    panel = panel_of(np.where(bars, 10.0, NAN))
    rows = np.arange(min(span), max(span) + 1)
    seen = [np.flatnonzero(has_bar).tolist() for has_bar in bars.T] + [[]]
    names = (*panel.tickers, "ZZZ")  # the last has no column
    expected = {
        name: [not own or row < own[0] or row >= own[-1] + grace for row in rows]
        for name, own in zip(names, seen, strict=True)
    }
    found = absence(panel, rows, [stay(name) for name in names], grace=grace)
    assert found.names == tuple(name for name in names if any(expected[name]))
    assert found.missing.T.tolist() == [expected[name] for name in found.names]
    assert found.n_members.tolist() == [4] * rows.size


def test_members_that_nobody_dated_are_counted_and_prove_nothing() -> None:
    panel = flat()
    undated = replace(stay("GONE"), start_date=SINCE_EVER)
    spec = spec_of(panel)
    audit = survivorship_audit(panel, spec, run(panel, spec), [undated])
    assert (audit.missing.n_undated, audit.missing.n_dated, audit.missing.share) == (1, 0, None)
    assert audit.missing.years == ()
    assert audit.scenarios[1].final_equity == pytest.approx(100)


def test_the_whole_loss_of_a_missing_name_is_its_part_of_the_universe() -> None:
    panel = flat(n_dates=40)
    absent = absence(panel, np.arange(40), [stay(name) for name in ("T000", "T001", "T002", "X", "Y")], grace=2)
    assert absent.written_down.sum() == pytest.approx(2 / 5)
    assert absent.share.tolist() == pytest.approx([2 / 5] * 40)
