"""Batches: every item once, in order, of a size that a measured trial gives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.sweeps.batches import BATCH_SECONDS, MOST_BATCHES, batch_size, batches


@given(n_trials=st.integers(1, 5_000), trial_seconds=st.floats(1e-6, 1_000))
def test_batches_hold_every_trial_once_and_are_few_and_short(n_trials: int, trial_seconds: float) -> None:
    size = batch_size(n_trials, trial_seconds)
    parts = batches(range(n_trials), size)
    assert [item for part in parts for item in part] == list(range(n_trials))
    assert len(parts) <= MOST_BATCHES
    assert size * trial_seconds <= max(BATCH_SECONDS, trial_seconds * math.ceil(n_trials / MOST_BATCHES)) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("n_trials", "trial_seconds", "size"),
    [
        (1_000, 0.02, 32),  # 250 would fill five seconds, but leave four batches to share among the workers
        (1_000, 1.0, 5),
        (1_000, 60.0, 1),
        (5_000, 60.0, 5),  # no more than a thousand batches
        (1, 0.001, 1),
    ],
)
def test_a_batch_takes_about_five_seconds(n_trials: int, trial_seconds: float, size: int) -> None:
    assert batch_size(n_trials, trial_seconds) == size
