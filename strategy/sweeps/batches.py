"""Batches of a sweep: the unit of work, of its result, and of what a killed worker loses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

#: Long beside what a batch costs (a message, a transaction, two objects), short beside what a person waits.
BATCH_SECONDS = 5.0
#: Parts for the workers to share evenly, where there are as many trials.
_LEAST_BATCHES = 32
#: What one list of Step Functions' map, and one summary, hold with ease.
MOST_BATCHES = 1_000


def batch_size(n_trials: int, trial_seconds: float) -> int:
    """Trials of a batch that takes about `BATCH_SECONDS`.

    Fewer where there would be under 32 batches to share, more where there would be over `MOST_BATCHES`.

    Parameters
    ----------
    n_trials : int
        Of the whole sweep, 1 or more.
    trial_seconds : float
        What one trial was measured to take, > 0.
    """
    by_time = max(int(BATCH_SECONDS / trial_seconds), 1) if trial_seconds > 0 else n_trials
    by_share = math.ceil(n_trials / _LEAST_BATCHES)
    return max(min(by_time, by_share), math.ceil(n_trials / MOST_BATCHES))


def batches(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in order, in parts of `size`; the last may be smaller."""
    return [items[first : first + size] for first in range(0, len(items), size)]
