"""What a sweep found, and how little of it may be skill.

1. Sharpe ratio of each trial's session returns; the best is the highest, the first of equal ones.
2. Beside the best: the probability that choosing by it is overfitting, the Sharpe ratio deflated by every trial, and
   whether any trial beats the benchmark by more than luck.
3. Stability: along each axis, the ratios of the trials that share a value, so that a lone peak shows.
4. Walk-forward, where it is asked for: the best of each training span, judged on the sessions after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from strategy.backtest.metrics import return_moments
from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray
from strategy.sweeps.axes import Value
from strategy.sweeps.ratios import sharpe_ratios
from strategy.sweeps.spec import WalkForward
from strategy.sweeps.walks import Walk, walked
from strategy.validation.clusters import effective_trials
from strategy.validation.overfitting import probability_of_overfitting
from strategy.validation.reality_check import SuperiorAbility, superior_ability
from strategy.validation.sharpe import deflated_sharpe_ratio

T = TypeVar("T")

#: Values of an axis that are told one by one; more are gathered in groups of equal size.
_MOST_GROUPS = 8
#: Samples of the bootstrap: a p-value of 5 % has a standard error of 0.7 %.
N_BOOTSTRAP = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why the best may be luck; None where it cannot be computed, `reasons` say why.

    Parameters
    ----------
    overfitting : float or None
        Probability of overfitting by combinatorially symmetric cross-validation, 0 to 1.
    deflated_sharpe : float or None
        Probability that the best's Sharpe ratio is above what luck gives the best of all trials.
    n_trials : int
        Trials by which it is deflated.
    n_independent : int or None
        Clusters of trials that resemble each other.
    superior : SuperiorAbility or None
        Hansen's test and White's reality check of all trials against the benchmark.
    reasons : tuple of str
    """

    overfitting: float | None
    deflated_sharpe: float | None
    n_trials: int
    n_independent: int | None
    superior: SuperiorAbility | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Trials that share a value of an axis, or a span of values; Sharpe ratios a session."""

    axis: str
    low: Value
    high: Value
    n_trials: int
    least: float
    median: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is told of a sweep; `best` is None where no trial's returns vary. Changes of `walk` are not charged yet."""

    best: int | None
    sharpe: FloatArray
    doubt: Doubt | None
    groups: tuple[Group, ...]
    walk: Walk | None


def summary_of(
    returns: FloatArray,
    parameters: Sequence[Mapping[str, Value]],
    axes: Sequence[str],
    *,
    benchmark: FloatArray,
    generator: np.random.Generator,
    walk: WalkForward | None,
) -> Summary:
    """Summary of trials.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_trials)
        Session returns of each trial, finite.
    parameters : sequence of mapping
        Of each trial.
    axes : sequence of str
        Parameters that were searched.
    benchmark : ndarray of shape (n_sessions,)
        Returns to beat, of the same sessions.
    generator : numpy Generator
        Source of the bootstrap by which the trials are tested against it.
    walk : WalkForward or None

    Raises
    ------
    InsufficientHistoryError
        If there are too few sessions to walk forward.
    """
    sharpe = sharpe_ratios(returns)
    best = None if np.isnan(sharpe).all() else int(np.nanargmax(sharpe))
    tested = _unless_refused(lambda: superior_ability(returns, benchmark, generator=generator, n_samples=N_BOOTSTRAP))
    return Summary(
        best=best,
        sharpe=sharpe,
        doubt=None if best is None else _doubt(returns, sharpe, best, tested),
        groups=tuple(group for axis in axes for group in _groups(axis, [it[axis] for it in parameters], sharpe)),
        walk=None if walk is None or best is None else walked(returns, walk),
    )


def _doubt(returns: FloatArray, sharpe: FloatArray, best: int, tested: SuperiorAbility | str) -> Doubt:
    moments = return_moments(returns[:, best])
    finite = sharpe[np.isfinite(sharpe)]
    deflated = deflated_sharpe_ratio(
        float(sharpe[best]),
        n_returns=moments.n,
        skewness=moments.skewness,
        kurtosis=moments.kurtosis,
        n_trials=sharpe.size,
        variance=float(np.var(finite, ddof=1)) if finite.size > 1 else 0.0,
    )
    overfitting = _unless_refused(lambda: probability_of_overfitting(returns).probability)
    n_independent = _unless_refused(lambda: effective_trials(returns))
    return Doubt(
        overfitting=None if isinstance(overfitting, str) else overfitting,
        deflated_sharpe=deflated,
        n_trials=sharpe.size,
        n_independent=None if isinstance(n_independent, str) else n_independent,
        superior=None if isinstance(tested, str) else tested,
        reasons=tuple(it for it in (overfitting, n_independent, tested) if isinstance(it, str)),
    )


def _unless_refused(statistic: Callable[[], T]) -> T | str:
    """A statistic, or why there is none."""
    try:
        return statistic()
    except (InsufficientHistoryError, StatisticError) as error:
        return str(error)


def _groups(axis: str, values: Sequence[Value], sharpe: FloatArray) -> list[Group]:
    """Trials by value, or, where they have many values in order, in up to eight groups of neighbours."""
    kept = [number for number in range(len(values)) if math.isfinite(sharpe[number])]
    if _is_ordered(values):
        kept.sort(key=lambda number: (values[number], number))
    texts = [repr(values[number]) for number in kept]
    if len(set(texts)) <= _MOST_GROUPS or not _is_ordered(values):
        parts = [[number for number in kept if repr(values[number]) == text] for text in dict.fromkeys(texts)]
    else:
        parts = [list(part) for part in np.array_split(np.array(kept), _MOST_GROUPS)]
    return [_group(axis, values, part, sharpe) for part in parts]


def _group(axis: str, values: Sequence[Value], numbers: Sequence[int], sharpe: FloatArray) -> Group:
    ratios = sharpe[list(numbers)]
    return Group(
        axis=axis,
        low=values[numbers[0]],
        high=values[numbers[-1]],
        n_trials=len(numbers),
        least=float(ratios.min()),
        median=float(np.median(ratios)),
        most=float(ratios.max()),
    )


def _is_ordered(values: Sequence[Value]) -> bool:
    return all(isinstance(value, int | float) for value in values)
