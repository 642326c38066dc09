"""A clock that moves only when somebody sleeps."""

from __future__ import annotations

import asyncio


class Time:
    """Unix time of a test; sleepers wake in the order of their moments.

    Parameters
    ----------
    now : float
        Seconds; 2026-11-25 02:00 UTC unless given.
    """

    def __init__(self, now: float = 1795572000.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, for_s: float) -> None:
        """Let so many seconds pass, and the sleepers before this one wake first."""
        self.slept.append(for_s)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.now + for_s, len(self.slept), woken)
        self._sleepers.append(entry)
        try:
            while not woken.done():
                # Whoever else wants to run at this moment does so before the clock moves.
                for _ in range(20):
                    await asyncio.sleep(0)
                if not woken.done():
                    self._wake_the_first()
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)

    def _wake_the_first(self) -> None:
        first = min(self._sleepers)
        self._sleepers.remove(first)
        self.now = max(self.now, first[0])
        first[2].set_result(None)
