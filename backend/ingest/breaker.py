"""A circuit breaker: a vendor that failed many times in a row is left alone for a while, then tried with one request.

Nygard, M. (2018). "Release It!", 2nd ed., section 5.2.
"""

from __future__ import annotations

import time

from backend.ingest.limits import Clock


class CircuitBreaker:
    """Closed, open, or half open with one request on its way.

    Parameters
    ----------
    failures : int
        Consecutive failures that open it.
    rest_s : float
        Seconds that it stays open.
    clock : callable
        Unix time.
    """

    def __init__(self, *, failures: int = 10, rest_s: float = 60.0, clock: Clock = time.time) -> None:
        self._most_failures = failures
        self._rest_s = rest_s
        self._clock = clock
        self.n_failures = 0
        self._is_probing = False
        #: When it may be tried again, in Unix time; None while it is closed.
        self.open_until: float | None = None

    def admit(self) -> bool:
        """Whether a request may be made now; the first one after the rest is the probe, and the only one."""
        if self.open_until is None:
            return True
        if self._is_probing or self._clock() < self.open_until:
            return False
        self._is_probing = True
        return True

    def succeed(self) -> None:
        """Note that the vendor answered."""
        self.n_failures = 0
        self._is_probing = False
        self.open_until = None

    def fail(self) -> None:
        """Note that it did not."""
        self.n_failures += 1
        is_enough = self.open_until is None and self.n_failures >= self._most_failures
        if is_enough or self._is_probing:
            self.open_until = self._clock() + self._rest_s
        self._is_probing = False

    def abandon(self) -> None:
        """Note that a request ended without telling anything of the vendor, so that another may be the probe."""
        self._is_probing = False
