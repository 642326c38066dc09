"""What a strategy is: a pure function from the past to target weights, with a model of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:  # cold start: a description of a strategy needs no arrays
    from strategy.panel import FloatArray, IntArray, PricePanel
    from strategy.schedule import Rebalance


class Parameters(BaseModel):
    """Base of every parameter model: unknown names are refused, values are fixed once made.

    Each field has bounds, a default, a description and, where it has one, a unit (``json_schema_extra={"unit": ...}``):
    forms are drawn from this schema.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy(Generic[P]):
    """A strategy as the registry knows it.

    Parameters
    ----------
    key : str
        Name in specs and URLs, snake_case.
    version : int
        Raised whenever the same parameters may give other weights; part of every backtest id.
    title, description : str
        For people: a name, and one or two sentences with the source of the idea.
    parameters : type of Parameters
        The pydantic model of its parameters; its defaults are valid.
    rebalance : Rebalance
        The schedule it is meant for, unless a spec says otherwise.
    target_weights : callable
        ``target_weights(panel, rows, parameters)`` gives the target weights decided at the close of each row of `rows`
        (increasing), shape (len(rows), n_assets): finite, >= 0 (< 0, sold short, where the execution allows it), each
        row summing to at most 1 (the rest is cash), and 0 for every asset that is not `panel.active` on that row. The
        weights of a row depend on nothing after that row.
    is_memoryless : bool
        Whether the weights of a row are the same, to the bit, whichever other rows are asked for with it. Look-ahead
        proofs then ask for single rows, which makes them cheap.
    """

    key: str
    version: int
    title: str
    description: str
    parameters: type[P]
    rebalance: Rebalance
    target_weights: Callable[[PricePanel, IntArray, P], FloatArray]
    is_memoryless: bool = False
