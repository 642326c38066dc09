"""The proof catches what looks ahead, however it does so, and passes what does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from strategy.backtest.simulation import Decisions
from strategy.errors import LookaheadError
from strategy.library.contract import Parameters, Strategy
from strategy.library.equal_weight import EQUAL_WEIGHT, EqualWeightParameters
from strategy.panel import BoolArray, FloatArray, IntArray, PricePanel
from strategy.registry import LIBRARY, find_strategy, parsed_parameters
from strategy.validation.lookahead import LookaheadProof, lookahead_proof
from support.panels import dividend_payer

ROWS = np.arange(25, 55, 5)


PANEL = dividend_payer()


def strategy_that_scores(score: Callable[[PricePanel, int], FloatArray | BoolArray]) -> Strategy[Parameters]:
    """Everything on the asset with the highest score of each row."""

    def target_weights(panel: PricePanel, rows: IntArray, parameters: Parameters) -> FloatArray:
        weights = np.zeros((rows.size, panel.n_assets))
        for number, row in enumerate(rows):
            weights[number, np.argmax(np.nan_to_num(score(panel, int(row)).astype(np.float64)))] = 1.0
        return weights

    return Strategy(
        key="test_strategy",
        version=1,
        title="Test",
        description="Holds the highest score.",
        parameters=Parameters,
        rebalance="daily",
        target_weights=target_weights,
    )


def proved(strategy: Strategy[Parameters], *, seed: int = 0, n_samples: int = 100) -> LookaheadProof:
    parameters = Parameters()
    weights = strategy.target_weights(PANEL, ROWS, parameters)
    return lookahead_proof(
        strategy,
        parameters,
        PANEL,
        decisions=Decisions(rows=ROWS, weights=weights),
        generator=np.random.default_rng(seed),
        n_samples=n_samples,
    )


def paid_at(panel: PricePanel, row: int) -> FloatArray:
    """Dividends of one session, one per asset."""
    paid = np.zeros(panel.n_assets)
    is_then = panel.actions.rows == row
    paid[panel.actions.columns[is_then]] = panel.actions.dividends[is_then]
    return paid


@pytest.mark.parametrize("key", sorted(LIBRARY))
def test_our_own_strategies_pass(key: str) -> None:
    strategy = find_strategy(key)
    fields = strategy.parameters.model_fields
    short = {"lookback": 20, "fast": 3, "slow": 20}
    parameters = parsed_parameters(strategy, {name: value for name, value in short.items() if name in fields})
    weights = strategy.target_weights(PANEL, ROWS, parameters)
    proof = lookahead_proof(
        strategy,
        parameters,
        PANEL,
        decisions=Decisions(rows=ROWS, weights=weights),
        generator=np.random.default_rng(1),
        n_samples=100,
    )
    assert weights.any()
    assert proof == LookaheadProof(checked=tuple(str(session) for session in PANEL.sessions[ROWS]), is_identical=True)


def test_a_strategy_that_uses_all_of_the_past_and_the_session_itself_passes() -> None:
    honest = strategy_that_scores(lambda panel, row: np.nanmean(panel.prices[: row + 1], axis=0) + panel.prices[row])
    assert proved(honest).is_identical


@pytest.mark.parametrize(
    "score",
    [
        pytest.param(lambda panel, row: panel.prices[row + 1] / panel.prices[row], id="the next return"),
        pytest.param(lambda panel, row: panel.close_prices[row + 1], id="the next close"),
        pytest.param(lambda panel, row: panel.field("open")[row + 1], id="the next open"),
        pytest.param(lambda panel, row: panel.field("volume")[row + 1], id="the next volume"),
        pytest.param(lambda panel, _row: panel.prices[-1], id="the last price, far ahead"),
        pytest.param(lambda panel, row: panel.prices[row] / np.nanmax(panel.prices, axis=0), id="the highest ever"),
        pytest.param(lambda panel, row: np.isnan(panel.close_prices[row + 1 :]).sum(axis=0), id="bars missing later"),
        pytest.param(lambda panel, row: panel.member[row + 1] * np.arange(1, 6), id="the next members"),
        pytest.param(lambda panel, row: paid_at(panel, row + 1), id="the next dividend"),
        pytest.param(lambda panel, row: panel.prices_until(row + 1)[-1], id="prices until the next session"),
        pytest.param(lambda panel, _row: panel.prices_until(-2)[-1], id="prices until the last session but one"),
        pytest.param(lambda panel, row: panel.active_on(row + 1) * np.arange(1, 6), id="who is active then"),
        pytest.param(lambda panel, _row: panel.active_on(-1) * np.arange(1, 6), id="who is active at last"),
        pytest.param(
            lambda panel, row: panel.active_on(np.arange(panel.n_dates) == row + 1)[0] * np.arange(1, 6),
            id="who is active then, by a flag for each session",
        ),
    ],
)
def test_a_strategy_that_looks_ahead_is_caught(score: Callable[[PricePanel, int], FloatArray]) -> None:
    with pytest.raises(LookaheadError):
        proved(strategy_that_scores(score))


def test_the_first_session_that_looks_ahead_is_named() -> None:
    """The choice follows the next members, of whom scrambling leaves none, so that no chance can hide it."""
    cheat = strategy_that_scores(
        lambda panel, row: panel.member[row + 1] * np.arange(1, 6) if row >= ROWS[3] else panel.prices[row]
    )
    with pytest.raises(LookaheadError) as caught:
        proved(cheat, seed=4)
    assert caught.value.strategy == "test_strategy"
    assert caught.value.session == str(PANEL.sessions[ROWS[3]])
    assert caught.value.session in str(caught.value)


def test_a_difference_in_the_last_bit_is_a_difference() -> None:
    parameters = EqualWeightParameters()
    weights = EQUAL_WEIGHT.target_weights(PANEL, ROWS, parameters)
    weights[2, 0] = np.nextafter(weights[2, 0], 1)
    with pytest.raises(LookaheadError, match=str(PANEL.sessions[ROWS[2]])):
        lookahead_proof(
            EQUAL_WEIGHT,
            parameters,
            PANEL,
            decisions=Decisions(rows=ROWS, weights=weights),
            generator=np.random.default_rng(0),
            n_samples=100,
        )


def test_as_many_sessions_are_checked_as_asked_for_each_once_and_in_order() -> None:
    checked = proved(strategy_that_scores(lambda panel, row: panel.prices[row]), n_samples=4).checked
    assert len(checked) == 4
    assert list(checked) == sorted(set(checked))
    assert set(checked) <= {str(session) for session in PANEL.sessions[ROWS]}


def test_the_same_generator_checks_the_same_sessions() -> None:
    honest = strategy_that_scores(lambda panel, row: panel.prices[row])
    samples = [proved(honest, seed=seed, n_samples=3).checked for seed in (0, 0, 1, 2)]
    assert samples[0] == samples[1]
    assert len(set(samples)) > 1


def test_no_decision_is_proved_by_checking_none() -> None:
    none = np.empty(0, dtype=np.intp)
    proof = lookahead_proof(
        EQUAL_WEIGHT,
        EqualWeightParameters(),
        PANEL,
        decisions=Decisions(rows=none, weights=np.empty((0, 5))),
        generator=np.random.default_rng(0),
    )
    assert proof.checked == ()
