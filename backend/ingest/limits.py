"""The pace at which a vendor may be asked, shared by all tickers of a run.

Never more requests than a limit allows in any span of its length, wherever the span begins: a leaky bucket would let
nearly twice as many through in the first hour, and vendors count by the hour.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

#: Unix time in seconds.
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many requests in any `period_s` seconds."""

    requests: int
    period_s: float


class RateLimiter:
    """Turns of one vendor.

    Parameters
    ----------
    limits : sequence of Limit
        All of them hold; none: only pauses hold a caller up.
    clock, sleep : callable
        Of the process, unless a test says otherwise.
    """

    def __init__(self, limits: Sequence[Limit] = (), *, clock: Clock = time.time, sleep: Sleep = asyncio.sleep) -> None:
        self._turns = [(deque[float](maxlen=limit.requests), limit.period_s) for limit in limits]
        self._clock = clock
        self._sleep = sleep
        self._paused_until = 0.0
        #: When the last pause began, in Unix time.
        self.paused_at = 0.0

    async def turn(self, *, patience_s: float) -> bool:
        """Wait for a turn and take it; False, at once, when it would take longer than `patience_s` seconds."""
        while (wait_s := self.next_turn() - self._clock()) > 0:
            if wait_s > patience_s:
                return False
            await self._sleep(wait_s)
        for turns, _ in self._turns:
            turns.append(self._clock())
        return True

    def pause(self, for_s: float) -> None:
        """Let nobody take a turn for so many seconds, whoever is waiting already."""
        self.paused_at = self._clock()
        self._paused_until = max(self._paused_until, self.paused_at + for_s)

    def next_turn(self) -> float:
        """The earliest moment of the next turn, in Unix time; it may be past."""
        full = (turns[0] + period_s for turns, period_s in self._turns if len(turns) == turns.maxlen)
        return max(self._paused_until, *full, 0.0)
