"""Proof that decisions do not see the future: they are taken again with the future scrambled, and must be identical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from strategy.backtest.simulation import Decisions
from strategy.errors import LookaheadError
from strategy.library.contract import Parameters, Strategy
from strategy.panel import PricePanel


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
    for number in sample:
        other = scrambled_after(panel, int(rows[number]), generator)
        again = strategy.target_weights(other, rows[: number + 1], parameters)[number]
        if again.tobytes() != weights[number].tobytes():
            raise LookaheadError(strategy.key, str(panel.sessions[rows[number]]))
    return LookaheadProof(checked=tuple(str(panel.sessions[rows[number]]) for number in sample))


def scrambled_after(panel: PricePanel, row: int, generator: np.random.Generator) -> PricePanel:
    """The panel with everything after a row replaced: other prices, other gaps, other members, no corporate action."""
    fields = {}
    gone = generator.random((panel.n_dates - row - 1, panel.n_assets)) < 0.1  # noqa: PLR2004  a tenth of the bars
    for name, values in panel.fields.items():
        future = values[row + 1 :][::-1] * generator.uniform(0.2, 5.0, size=gone.shape)
        future[np.isnan(future)] = 1.0
        future[gone] = np.nan
        fields[name] = np.concatenate([values[: row + 1], future])
    flipped = ~panel.member[row + 1 :]
    return PricePanel(
        sessions=panel.sessions,
        tickers=panel.tickers,
        fields=fields,
        actions=panel.actions.between(0, row + 1),
        member=np.concatenate([panel.member[: row + 1], flipped]),
    )
