"""No training row comes near a test row, over all splits; every row is tested as often as it should be."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from strategy.errors import InsufficientHistoryError, StatisticError, StrategyError
from strategy.validation.splits import Split, combinatorial_purged, purged_k_fold, walk_forward


def leaks(split: Split, *, purge: int, embargo: int) -> bool:
    """Whether any training row lies within the gaps of any test row, by brute force."""
    return any(
        test - purge <= train <= test + purge + embargo
        for test in split.test.tolist()
        for train in split.train.tolist()
    )


def could_train(row: int, split: Split, *, purge: int, embargo: int) -> bool:
    """Whether a row lies outside every gap, by brute force."""
    return all(row < test - purge or row > test + purge + embargo for test in split.test.tolist())


@pytest.mark.parametrize(("n_groups", "n_test_groups"), [(2, 1), (5, 1), (6, 2), (6, 3), (8, 2)])
@pytest.mark.parametrize(("purge", "embargo"), [(0, 0), (1, 0), (0, 2), (2, 3)])
def test_no_training_row_of_any_split_is_in_a_gap_and_every_other_row_trains(
    n_groups: int, n_test_groups: int, purge: int, embargo: int
) -> None:
    made = combinatorial_purged(61, n_groups=n_groups, n_test_groups=n_test_groups, purge=purge, embargo=embargo)
    assert len(made.splits) == math.comb(n_groups, n_test_groups)
    for split in made.splits:
        assert not leaks(split, purge=purge, embargo=embargo)
        expected = [row for row in range(61) if could_train(row, split, purge=purge, embargo=embargo)]
        assert split.train.tolist() == expected


def test_a_combinatorial_split_is_the_one_drawn_by_hand() -> None:
    """Twelve rows in four groups of three; groups 0 and 2 tested, purge 1, embargo 1.

    Tests 0-2 and 6-8. Row 3 and 4 follow the first, 5 precedes the second, 9 and 10 follow it: 11 trains.
    """
    made = combinatorial_purged(12, n_groups=4, n_test_groups=2, purge=1, embargo=1)
    split = made.splits[1]
    assert split.test.tolist() == [0, 1, 2, 6, 7, 8]
    assert split.train.tolist() == [11]


def test_six_groups_of_which_two_are_tested_make_fifteen_splits_and_five_paths() -> None:
    """Figures 12.1 and 12.2 of Lopez de Prado (2018)."""
    made = combinatorial_purged(60, n_groups=6, n_test_groups=2)
    assert len(made.splits) == 15
    assert made.paths.shape == (5, 6)
    assert made.paths[0].tolist() == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(("n_groups", "n_test_groups"), [(4, 1), (5, 2), (6, 3)])
def test_every_test_of_every_split_is_on_exactly_one_path(n_groups: int, n_test_groups: int) -> None:
    made = combinatorial_purged(47, n_groups=n_groups, n_test_groups=n_test_groups)
    used = sorted((int(split), group) for path in made.paths for group, split in enumerate(path))
    choices = list(combinations(range(n_groups), n_test_groups))
    assert used == sorted((number, group) for number, choice in enumerate(choices) for group in choice)


def test_a_path_is_put_together_from_tests_only() -> None:
    """Each split returns its number where it tests and NaN where it trained: no NaN is on a path."""
    made = combinatorial_purged(30, n_groups=5, n_test_groups=2, purge=1)
    returns = np.full((10, 30), np.nan)
    for number, split in enumerate(made.splits):
        returns[number, split.test] = number
    paths = made.path_returns(returns)
    assert paths.shape == (4, 30)
    assert_array_equal(paths, made.paths[:, made.groups])
    with pytest.raises(StatisticError, match="n_splits"):
        made.path_returns(returns.T)


@given(n_dates=st.integers(10, 80), n_folds=st.integers(2, 6), purge=st.integers(0, 2), embargo=st.integers(0, 2))
@settings(max_examples=30)
def test_folds_test_every_row_once_in_order(n_dates: int, n_folds: int, purge: int, embargo: int) -> None:
    try:
        folds = purged_k_fold(n_dates, n_folds=n_folds, purge=purge, embargo=embargo)
    except InsufficientHistoryError:
        assert n_dates // n_folds <= purge + embargo + 1
        return
    assert np.concatenate([fold.test for fold in folds]).tolist() == list(range(n_dates))
    assert {fold.test.size for fold in folds} <= {n_dates // n_folds, n_dates // n_folds + 1}
    assert not any(leaks(fold, purge=purge, embargo=embargo) for fold in folds)


@given(
    n_dates=st.integers(12, 90),
    n_train=st.integers(1, 10),
    n_test=st.integers(1, 15),
    purge=st.integers(0, 1),
    is_anchored=st.booleans(),
)
@settings(max_examples=50)
def test_walking_forward_trains_on_the_past_only_and_tests_all_that_is_left(
    *, n_dates: int, n_train: int, n_test: int, purge: int, is_anchored: bool
) -> None:
    splits = walk_forward(n_dates, n_train=n_train, n_test=n_test, purge=purge, is_anchored=is_anchored)
    assert np.concatenate([split.test for split in splits]).tolist() == list(range(n_train + purge, n_dates))
    for split in splits:
        assert split.train[-1] + purge + 1 == split.test[0]
        assert split.train[0] == (0 if is_anchored else split.train[-1] + 1 - n_train)
        assert (np.diff(split.train) == 1).all()


def test_walking_forward_rolls_or_is_anchored_as_drawn_by_hand() -> None:
    rolling = walk_forward(9, n_train=3, n_test=2, purge=1)
    anchored = walk_forward(9, n_train=3, n_test=2, purge=1, is_anchored=True)
    assert [split.train.tolist() for split in rolling] == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert [split.test.tolist() for split in rolling] == [[4, 5], [6, 7], [8]]
    assert [split.train.tolist() for split in anchored] == [[0, 1, 2], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"n_groups": 4, "n_test_groups": 4}, StatisticError),
        ({"n_groups": 0, "n_test_groups": 1}, StatisticError),
        ({"n_groups": 4, "n_test_groups": 2, "purge": -1}, StatisticError),
        ({"n_groups": 30, "n_test_groups": 15}, StatisticError),
        ({"n_groups": 41, "n_test_groups": 1}, InsufficientHistoryError),
        ({"n_groups": 4, "n_test_groups": 2, "embargo": 40}, InsufficientHistoryError),
    ],
)
def test_what_cannot_be_split_is_refused(arguments: dict[str, int], error: type[StrategyError]) -> None:
    with pytest.raises(error):
        combinatorial_purged(40, **arguments)


def test_a_walk_without_a_row_to_test_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError):
        walk_forward(10, n_train=8, n_test=1, purge=2)
    with pytest.raises(StatisticError):
        walk_forward(10, n_train=0, n_test=1)
