"""Properties that every strategy of the registry holds, those of installed packages included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.adjustments import CorporateActions
from strategy.errors import ParameterError
from strategy.library.contract import Parameters, Strategy
from strategy.panel import FloatArray, IntArray, PricePanel
from strategy.registry import find_strategy, parsed_parameters, strategy_paths
from support.panels import panel_of, random_panel

KEYS = sorted(strategy_paths())
every_strategy = pytest.mark.parametrize("key", KEYS)
seeds = st.integers(0, 2**32 - 1)


def eventful_panel(seed: int, *, n_dates: int = 60, n_assets: int = 4, missing: float = 0.005) -> PricePanel:
    """Random walks with missing bars, about two splits or dividends an asset, and members that come and go."""
    rng = np.random.default_rng(seed)
    walk = random_panel(seed, n_dates=n_dates, n_assets=n_assets, missing=missing)
    rows, columns = np.nonzero(rng.random((n_dates, n_assets)) < 2 / n_dates)
    actions = CorporateActions(
        rows=rows,
        columns=columns,
        split_ratios=rng.choice([0.5, 1.0, 2.0], size=rows.size),
        dividends=rng.choice([0.0, 0.7, 3.0], size=rows.size),
    )
    member = np.ones((n_dates, n_assets), dtype=np.bool_)
    joined, left = rng.integers(0, n_dates // 2, n_assets), rng.integers(n_dates // 2, 2 * n_dates, n_assets)
    for asset in range(1, n_assets):
        member[: joined[asset], asset] = False
        member[left[asset] :, asset] = False
    return PricePanel(
        sessions=walk.sessions, tickers=walk.tickers, fields=dict(walk.fields), actions=actions, member=member
    )


def reordered(panel: PricePanel, order: IntArray) -> PricePanel:
    """The same assets under other names: column k holds what column `order[k]` held."""
    column_now = np.argsort(order)
    columns = column_now[panel.actions.columns]
    by_row = np.lexsort((columns, panel.actions.rows))
    return PricePanel(
        sessions=panel.sessions,
        tickers=panel.tickers,
        fields={name: values[:, order] for name, values in panel.fields.items()},
        actions=CorporateActions(
            rows=panel.actions.rows[by_row],
            columns=columns[by_row],
            split_ratios=panel.actions.split_ratios[by_row],
            dividends=panel.actions.dividends[by_row],
        ),
        member=panel.member[:, order],
    )


def short_parameters(strategy: Strategy[Any]) -> Parameters:
    """Defaults, but a history short enough for a small panel."""
    fields = strategy.parameters.model_fields
    short = {"lookback": 20, "min_observations": 20, "fast": 3, "slow": 20}
    return parsed_parameters(strategy, {name: value for name, value in short.items() if name in fields})


def decided(key: str, panel: PricePanel, rows: IntArray) -> FloatArray:
    strategy = find_strategy(key)
    weights: FloatArray = strategy.target_weights(panel, rows, short_parameters(strategy))
    return weights


def schema_fields(key: str) -> dict[str, dict[str, Any]]:
    fields: dict[str, dict[str, Any]] = find_strategy(key).parameters.model_json_schema()["properties"]
    return fields


@every_strategy
def test_the_key_of_the_registry_is_the_key_of_the_strategy(key: str) -> None:
    assert find_strategy(key).key == key


@every_strategy
def test_the_test_panel_gives_it_something_to_hold(key: str) -> None:
    """Guards the properties below against being true of nothing but cash."""
    weights = decided(key, random_panel(5, n_dates=60, n_assets=4), np.arange(25, 59, 5))
    assert (weights.sum(axis=1) > 0.5).any()


@every_strategy
@given(seed=seeds, n_assets=st.sampled_from([1, 4, 30]), missing=st.sampled_from([0.0, 0.01, 0.2]))
@settings(deadline=None, max_examples=25)
def test_weights_are_shares_of_active_assets_and_never_more_than_everything(
    key: str, seed: int, n_assets: int, missing: float
) -> None:
    panel = eventful_panel(seed, n_assets=n_assets, missing=missing)
    rows = np.arange(0, 59, 3)
    weights = decided(key, panel, rows)
    assert weights.shape == (rows.size, n_assets)
    assert weights.dtype == np.float64
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights.sum(axis=1) <= 1 + 1e-12).all()
    assert (weights[~panel.active[rows]] == 0).all()


@every_strategy
@given(
    seed=seeds, first=st.integers(0, 30), n_assets=st.sampled_from([1, 4, 40]), missing=st.sampled_from([0, 0.005, 0.2])
)
@settings(deadline=None, max_examples=25)
def test_weights_never_see_the_future(key: str, seed: int, first: int, n_assets: int, missing: float) -> None:
    panel = eventful_panel(seed, n_assets=n_assets, missing=missing)
    rows = np.arange(first, 59, 4)
    full = decided(key, panel, rows)
    for number, row in enumerate(rows):
        truncated = decided(key, panel.until(int(row)), rows[: number + 1])
        np.testing.assert_array_equal(full[number], truncated[number])


@every_strategy
@given(seed=seeds, missing=st.sampled_from([0, 0.2]))
@settings(deadline=None, max_examples=10)
def test_a_row_asked_for_alone_is_the_same_to_the_bit_if_the_strategy_says_so(
    key: str, seed: int, missing: float
) -> None:
    panel, rows = eventful_panel(seed, missing=missing), np.arange(3, 59, 5)
    if find_strategy(key).is_memoryless:
        alone = [decided(key, panel, rows[number : number + 1])[0] for number in range(rows.size)]
        assert decided(key, panel, rows).tobytes() == np.array(alone).tobytes()


@every_strategy
@given(seed=seeds, order=st.permutations(range(4)))
@settings(deadline=None, max_examples=25)
def test_renaming_assets_renames_the_weights(key: str, seed: int, order: list[int]) -> None:
    """Four assets, because the published hierarchical risk parity depends on the order of five or more."""
    panel = eventful_panel(seed)
    columns, rows = np.array(order, dtype=np.intp), np.arange(0, 59, 4)
    renamed = decided(key, reordered(panel, columns), rows)
    np.testing.assert_allclose(renamed, decided(key, panel, rows)[:, columns], rtol=1e-9, atol=1e-15)


@every_strategy
def test_no_decision_asked_for_gives_no_row(key: str) -> None:
    weights = decided(key, random_panel(1, n_dates=30, n_assets=3), np.empty(0, dtype=np.intp))
    assert weights.shape == (0, 3)


@every_strategy
def test_an_empty_universe_is_all_cash(key: str) -> None:
    panel = panel_of(np.full((30, 2), np.nan))
    assert (decided(key, panel, np.array([0, 25])) == 0).all()


@every_strategy
def test_the_panel_is_left_as_it_was(key: str) -> None:
    panel, untouched = eventful_panel(3), eventful_panel(3)
    decided(key, panel, np.arange(0, 59, 4))
    np.testing.assert_array_equal(panel.close_prices, untouched.close_prices)
    np.testing.assert_array_equal(panel.member, untouched.member)
    np.testing.assert_array_equal(panel.prices, untouched.prices)


@every_strategy
def test_the_defaults_are_valid_and_survive_json(key: str) -> None:
    strategy = find_strategy(key)
    defaults = parsed_parameters(strategy, {})
    assert strategy.parameters.model_validate_json(defaults.model_dump_json()) == defaults


@every_strategy
def test_every_parameter_has_a_description_and_a_default(key: str) -> None:
    for name, field in schema_fields(key).items():
        assert field.get("description"), name
        assert "default" in field, name


@every_strategy
def test_every_number_has_bounds_and_a_unit(key: str) -> None:
    for name, field in schema_fields(key).items():
        if field.get("type") in {"integer", "number"}:
            assert {"minimum", "maximum", "unit"} <= field.keys(), name
            assert field["minimum"] <= field["default"] <= field["maximum"], name


@every_strategy
def test_every_list_of_tickers_is_bounded(key: str) -> None:
    for name, field in schema_fields(key).items():
        if field.get("type") == "array":
            assert "maxItems" in field, name


def values_out_of_bounds(key: str) -> list[tuple[str, float]]:
    """Name and value, below and above the bounds of every number, and not a number at all."""
    numbers = {name: field for name, field in schema_fields(key).items() if field.get("type") in {"integer", "number"}}
    return [
        (name, value)
        for name, field in numbers.items()
        for value in (field["minimum"] - 1, field["maximum"] + 1, float("nan"), float("inf"))
    ]


@every_strategy
def test_a_number_out_of_bounds_is_refused_by_name(key: str) -> None:
    for name, value in values_out_of_bounds(key):
        with pytest.raises(ParameterError, match=name) as caught:
            parsed_parameters(find_strategy(key), {name: value})
        assert caught.value.field == name


@every_strategy
def test_a_parameter_that_does_not_exist_is_refused_by_name(key: str) -> None:
    with pytest.raises(ParameterError, match="star_sign") as caught:
        parsed_parameters(find_strategy(key), {"star_sign": "leo"})
    assert (caught.value.field, caught.value.value) == ("star_sign", "leo")


@every_strategy
def test_a_ticker_that_the_universe_does_not_hold_is_refused_by_parameter_and_name(key: str) -> None:
    strategy, panel = find_strategy(key), random_panel(1, n_dates=40, n_assets=2)
    for name, field in schema_fields(key).items():
        if field.get("type") == "array":
            parameters = parsed_parameters(strategy, {name: ["T000", "XYZZY"]})
            with pytest.raises(ParameterError, match="XYZZY") as caught:
                strategy.target_weights(panel, np.array([30]), parameters)
            assert caught.value.field == name
