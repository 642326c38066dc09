"""Proof that decisions do not see the future: they are taken again with the future scrambled, and must be identical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from strategy.backtest.simulation import Decisions
from strategy.errors import LookaheadError
from strategy.library.contract import Parameters, Strategy
from strategy.panel import PricePanel
from strategy.validation.scrambling import ScrambledFutures


@dataclass(frozen=True, slots=True, kw_only=True)
class LookaheadProof:
    """Sessions (ISO dates) whose decisions were taken again and came out identical to the bit."""

    checked: tuple[str, ...]
    is_identical: bool = True


def lookahead_proof(
    strategy: Strategy[Any],
    parameters: Parameters,
    panel: PricePanel,
    *,
    decisions: Decisions,
    generator: np.random.Generator,
    n_samples: int = 8,
) -> LookaheadProof:
    """Take sampled decisions again on panels that agree with this one up to the decision, and in nothing after it.

    Parameters
    ----------
    strategy, parameters, panel
        As the strategy was asked before.
    decisions : Decisions
        Its answer.
    generator : numpy Generator
        Source of the sample and of the scrambling.
    n_samples : int
        Decisions to check; all of them when there are fewer.

    Returns
    -------
    LookaheadProof
        The sessions that were checked, in order.

    Raises
    ------
    LookaheadError
        If a decision differs in any bit; names the first.
    """
    rows, weights = decisions.rows, decisions.weights
    sample = np.sort(generator.choice(rows.size, size=min(n_samples, rows.size), replace=False))
    futures = ScrambledFutures(panel, generator)
    for number in sample:
        # A decision that needs the ones before it is asked for with them, and with none after it.
        asked = rows[number if strategy.is_memoryless else 0 : number + 1]
        again = strategy.target_weights(futures.after(int(rows[number])), asked, parameters)[-1]
        if again.tobytes() != weights[number].tobytes():
            raise LookaheadError(strategy.key, str(panel.sessions[rows[number]]))
    return LookaheadProof(checked=tuple(str(panel.sessions[rows[number]]) for number in sample))
