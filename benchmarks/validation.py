"""Overfitting statistics: time and memory beside the papers by the letter, and what they say of noise.

    .venv/bin/python benchmarks/validation.py

1,000 trials x 2,520 sessions of noise. "By the letter" copies the returns of every split or sample; it does a few of
them, and its time is that of one, times their number. Seconds are of the
processor. Exits 1 when a limit is exceeded.
"""

from __future__ import annotations

import math
import sys
import tracemalloc
from collections.abc import Callable
from itertools import combinations, islice
from time import process_time

import numpy as np

from strategy.panel import FloatArray
from strategy.validation.bootstrap import stationary_bootstrap_rows
from strategy.validation.clusters import effective_trials
from strategy.validation.monte_carlo import resampled_paths
from strategy.validation.overfitting import probability_of_overfitting
from strategy.validation.reality_check import superior_ability

N_DATES, N_TRIALS, N_BLOCKS, N_SAMPLES = 2_520, 1_000, 16, 1_000
MOST_SECONDS, MOST_BYTES = 5.0, 200_000_000
N_PANELS = 200
#: Three and a half standard errors of a mean of 200 probabilities, whose deviation is 0.18.
PBO_BAND = 0.045
#: Three standard errors of a share of 5 % in 200, and one hundredth for spreads that are estimated.
SIZE_BAND = 0.057


def main() -> int:
    """Measure, print, judge."""
    returns = noise(0, n_dates=N_DATES, n_trials=N_TRIALS)
    is_within = [
        measured("CSCV, 16 blocks", lambda: probability_of_overfitting(returns), cscv_by_the_letter(returns)),
        measured(
            "SPA, 1,000 samples",
            lambda: superior_ability(returns, np.zeros(N_DATES), generator=_seed(1), block_length=5.0),
            spa_by_the_letter(returns),
        ),
        measured("clusters", lambda: effective_trials(returns), None),
        measured(
            "resampled paths", lambda: resampled_paths(returns[:, 0], periods_per_year=252, generator=_seed(1)), None
        ),
    ]
    return 0 if all([*is_within, *judged_noise()]) else 1


def measured(title: str, work: Callable[[], object], by_the_letter: float | None) -> bool:
    """Print the processor seconds of a run and the memory of another; whether both are within their limits."""
    begin = process_time()
    work()
    seconds = process_time() - begin
    tracemalloc.start()
    work()
    _, extra = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    beside = f", by the letter {by_the_letter:,.0f} s" if by_the_letter is not None else ""
    print(f"{title:20} {seconds:6.2f} s, {extra / 1e6:4.0f} MB at the peak{beside}")
    return seconds <= MOST_SECONDS and extra <= MOST_BYTES


def judged_noise() -> list[bool]:
    """What noise gives: a PBO of one half, and rejections as often as the level says."""
    panels = (noise(seed, n_dates=512, n_trials=50) for seed in range(N_PANELS))
    found = np.array([probability_of_overfitting(panel, n_blocks=8).probability for panel in panels])
    print(f"PBO of noise         mean {found.mean():.3f}, deviation {found.std():.3f} over {N_PANELS} panels")
    verdicts = [abs(float(found.mean()) - 0.5) <= PBO_BAND]
    panels = (noise(seed, n_dates=1_000, n_trials=20) for seed in range(N_PANELS))
    tests = [
        superior_ability(it, np.zeros(1_000), generator=_seed(1), n_samples=300, block_length=1.0) for it in panels
    ]
    for name in ("lower", "consistent", "upper", "reality_check"):
        share = float(np.mean([getattr(test, name) <= 0.05 for test in tests]))  # noqa: PLR2004  the level
        print(f"size at 5 %          {name} {share:.1%} of {N_PANELS} panels")
        verdicts.append(abs(share - 0.05) <= SIZE_BAND)
    return verdicts


def cscv_by_the_letter(returns: FloatArray, n_done: int = 20) -> float:
    """Seconds of all splits, from some of them."""
    blocks = np.array_split(returns, N_BLOCKS)
    begin = process_time()
    for chosen in islice(combinations(range(N_BLOCKS), N_BLOCKS // 2), n_done):
        train = np.concatenate([blocks[block] for block in chosen])
        test = np.concatenate([blocks[block] for block in range(N_BLOCKS) if block not in chosen])
        inside, outside = (part.mean(axis=0) / part.std(axis=0, ddof=1) for part in (train, test))
        (outside < outside[inside.argmax()]).sum()
    return (process_time() - begin) / n_done * math.comb(N_BLOCKS, N_BLOCKS // 2)


def spa_by_the_letter(returns: FloatArray, n_done: int = 20) -> float:
    """Seconds of all bootstrap means, from some of them."""
    begin = process_time()
    for rows in stationary_bootstrap_rows(len(returns), n_samples=n_done, block_length=5.0, generator=_seed(0)):
        returns[rows].mean(axis=0)
    return (process_time() - begin) / n_done * N_SAMPLES


def noise(seed: int, *, n_dates: int, n_trials: int) -> FloatArray:
    """Returns without an edge."""
    return _seed(seed).normal(0.0, 0.01, size=(n_dates, n_trials))


def _seed(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


if __name__ == "__main__":
    sys.exit(main())
