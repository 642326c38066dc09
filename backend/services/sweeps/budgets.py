"""What a sweep may use: trials, seconds of processors, dollars; checked before it begins and kept while it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from backend.database.column_types import JsonObject
from backend.services.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a worker costs.

    Parameters
    ----------
    memory_gb : float
        Memory of a worker.
    per_gb_second : float
        US dollars; on a laptop nothing is paid, and the figure is what AWS would charge.
    """

    memory_gb: float = 1.769
    per_gb_second: float = 0.000_016_666_7

    def dollars(self, seconds: float) -> float:
        """US dollars of so many seconds of one worker."""
        return seconds * self.memory_gb * self.per_gb_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of a sweep, None where there is none.

    Parameters
    ----------
    trials : int or None
    seconds : float or None
        Of processors, summed over the workers: as many on two cores as on one.
    dollars : float or None
        US dollars of those seconds.
    """

    trials: int | None = None
    seconds: float | None = None
    dollars: float | None = None

    def to_json(self) -> JsonObject:
        """As the database keeps it."""
        return asdict(self)

    def require_trials(self, n_trials: int) -> None:
        """Raise `RequestError` unless so many trials are allowed."""
        if self.trials is not None and n_trials > self.trials:
            reason = f"the sweep has {n_trials} trials: raise the budget, or search fewer values"
            raise RequestError("budget.trials", self.trials, reason)

    def require_estimate(self, n_trials: int, trial_seconds: float, price: Price) -> None:
        """Raise `RequestError` unless trials of this measured length fit into the budget."""
        seconds = n_trials * trial_seconds
        needs = {"seconds": (self.seconds, seconds), "dollars": (self.dollars, price.dollars(seconds))}
        for name, (limit, estimate) in needs.items():
            if limit is not None and estimate > limit:
                reason = (
                    f"{n_trials} trials of {trial_seconds:.3g} s, as measured, would use {estimate:.4g}: raise the "
                    "budget, or search fewer values"
                )
                raise RequestError(f"budget.{name}", limit, reason)

    def used_up(self, seconds: float, price: Price) -> str | None:
        """Name of the limit that was reached after so many seconds, None while there is room."""
        if self.seconds is not None and seconds >= self.seconds:
            return "seconds"
        if self.dollars is not None and price.dollars(seconds) >= self.dollars:
            return "dollars"
        return None
