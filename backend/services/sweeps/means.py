"""What sweeps are done with on this machine, or in AWS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from backend.services.sweeps.budgets import Price

#: Starts an execution of Step Functions of this name on the batches in this object of the cache.
FanOut: TypeAlias = Callable[[str, str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepMeans:
    """What sweeps are done with.

    Parameters
    ----------
    cache_url, cache_local_copy
        Of the cache, for processes that open it anew.
    n_processes : int
        Of this machine's pool.
    dask_scheduler : str or None
        Address of a Dask cluster that does the batches instead of the pool.
    fan_out : FanOut or None
        In AWS: hands the batches to Step Functions: ``fan_out(sweep_id, execution name, key of the list)``.
    price : Price
        Of a worker.
    """

    cache_url: str = ""
    cache_local_copy: Path | None = None
    n_processes: int = 1
    dask_scheduler: str | None = None
    fan_out: FanOut | None = None
    price: Price = field(default_factory=Price)
