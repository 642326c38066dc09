"""Bootstrap samples have the blocks they should have, of the length that another library finds optimal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray
from strategy.validation.bootstrap import optimal_block_length, stationary_bootstrap_rows


def series() -> dict[str, FloatArray]:
    generator = np.random.default_rng(20261125)
    shocks = generator.standard_normal(600)
    persistent = np.empty(600)
    persistent[0] = shocks[0]
    for row in range(1, 600):
        persistent[row] = 0.6 * persistent[row - 1] + shocks[row]
    return {"persistent": persistent, "absolute": np.abs(shocks), "walk": np.cumsum(shocks), "noise": shocks}


@pytest.mark.parametrize(
    ("name", "length"),
    [("persistent", 11.588856516948034), ("absolute", 1.6198513321584112), ("walk", 40.77336064272492), ("noise", 1.0)],
)
def test_the_optimal_length_is_that_of_arch(name: str, length: float) -> None:
    """`arch` 8.0.0, optimal_block_length(...)["stationary"]; it gives 0.38 for the noise, and a block has a row."""
    assert optimal_block_length(series()[name]) == pytest.approx(length, rel=1e-9)


def test_values_that_do_not_vary_need_no_blocks() -> None:
    assert optimal_block_length(np.full(50, 0.1)) == 1.0


@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(1, 40), block_length=st.floats(1, 50))
@settings(max_examples=30)
def test_samples_are_rows_of_the_series_and_the_same_for_the_same_seed(
    seed: int, n_rows: int, block_length: float
) -> None:
    drawn, again = (
        stationary_bootstrap_rows(n_rows, n_samples=5, block_length=block_length, generator=np.random.default_rng(seed))
        for _ in range(2)
    )
    assert drawn.shape == (5, n_rows)
    assert ((drawn >= 0) & (drawn < n_rows)).all()
    assert_array_equal(drawn, again)


def test_blocks_have_the_mean_length_asked_for_and_wrap_around() -> None:
    """A block goes on with probability 0.9, and by chance one row in 500 after it is the next: 0.9 + 0.1 / 500."""
    rows = stationary_bootstrap_rows(500, n_samples=400, block_length=10.0, generator=np.random.default_rng(1))
    goes_on = (np.diff(rows, axis=1) % 500) == 1
    # 199,600 steps: three standard errors are 0.002.
    assert goes_on.mean() == pytest.approx(0.9002, abs=0.002)
    assert ((np.diff(rows, axis=1) == -499) & goes_on).any()


def test_every_row_is_drawn_equally_often() -> None:
    """10,000 samples of 20 rows: each about 10,000 times, whatever its place."""
    rows = stationary_bootstrap_rows(20, n_samples=10_000, block_length=5.0, generator=np.random.default_rng(2))
    counts = np.bincount(rows.ravel(), minlength=20)
    assert counts == pytest.approx(np.full(20, 10_000), rel=0.06)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(StatisticError, match="block_length"):
        stationary_bootstrap_rows(5, n_samples=1, block_length=0.5, generator=np.random.default_rng(0))
    with pytest.raises(StatisticError, match="n_samples"):
        stationary_bootstrap_rows(5, n_samples=0, block_length=1, generator=np.random.default_rng(0))
    with pytest.raises(InsufficientHistoryError):
        optimal_block_length(np.ones(5))
