"""A vendor behind its limits and its breaker.

1. While the breaker is open, a ticker fails at once, with the error class of what opened it.
2. A request waits for its turn; a turn that is too far away is a failure, too, rather than a run of hours.
3. Too many requests, nevertheless: the whole vendor pauses for as long as it asks.
4. Transient failures in a row open the breaker; any other answer, also that a ticker is unknown, closes it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

from backend.ingest.breaker import CircuitBreaker
from backend.ingest.errors import RateLimitError, SourceError, VendorPausedError
from backend.ingest.limits import Clock, RateLimiter
from backend.ingest.sources.contract import Fetched, FetchRequest, PriceSource

#: The pause where a vendor does not say how long, in seconds.
_PAUSE_S = 10.0


class GuardedSource:
    """A source whose limits and breaker all tickers of a run share.

    Parameters
    ----------
    source : PriceSource
        Closed together with this one.
    limiter : RateLimiter
    breaker : CircuitBreaker
    patience_s : float
        Longest wait for a turn, or for the end of a pause.
    clock : callable
        Unix time.
    """

    def __init__(
        self,
        source: PriceSource,
        *,
        limiter: RateLimiter,
        breaker: CircuitBreaker,
        patience_s: float = 60.0,
        clock: Clock = time.time,
    ) -> None:
        self._source = source
        self._limiter = limiter
        self._breaker = breaker
        self._patience_s = patience_s
        self._clock = clock
        self._last_failure: SourceError | None = None

    @property
    def name(self) -> str:
        """Name of the vendor."""
        return self._source.name

    async def tickers(self) -> Sequence[str]:
        """Whatever the vendor lists."""
        return await self._source.tickers()

    async def close(self) -> None:
        """Close the vendor's connections."""
        await self._source.close()

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Fetch one ticker; raises what the vendor raises, and `VendorPausedError` when it was not asked."""
        if not self._breaker.admit():
            raise self._resting(request.ticker)
        asked_at = 0.0
        try:
            await self._take_turn(request.ticker)
            asked_at = self._clock()
            fetched = await self._source.fetch(request)
        except RateLimitError as error:
            self._slow_down(error, asked_at=asked_at)
            raise
        except SourceError as error:
            self._judge(error)
            raise
        except BaseException:
            self._breaker.abandon()
            raise
        self._breaker.succeed()
        return fetched

    async def _take_turn(self, ticker: str) -> None:
        if not await self._limiter.turn(patience_s=self._patience_s):
            reason = f"not asked: its limit of requests is used up until {_moment(self._limiter.next_turn())}"
            raise VendorPausedError(self.name, ticker, reason, error_class=RateLimitError.error_class)

    def _slow_down(self, error: RateLimitError, *, asked_at: float) -> None:
        """Pause the vendor. The refusal of a request that was made before the last pause began is no news."""
        if asked_at >= self._limiter.paused_at:
            self._judge(error)
        wait_s = _PAUSE_S if error.retry_after_s is None else error.retry_after_s
        self._limiter.pause(wait_s)
        if wait_s > self._patience_s:
            reason = f"{error.reason}; it asks to wait until {_moment(self._limiter.next_turn())}"
            raise VendorPausedError(self.name, error.ticker, reason, error_class=error.error_class) from error

    def _judge(self, error: SourceError) -> None:
        if isinstance(error, VendorPausedError):
            self._breaker.abandon()
        elif error.is_transient:
            self._breaker.fail()
            self._last_failure = error
        else:
            self._breaker.succeed()

    def _resting(self, ticker: str) -> VendorPausedError:
        cause = self._last_failure
        reason = (
            f"not asked: the breaker is open after {self._breaker.n_failures} failures in a row, the last: "
            f"{cause.reason if cause else ''}; it is asked again from {_moment(self._breaker.open_until or 0.0)} on"
        )
        error_class = cause.error_class if cause else SourceError.error_class
        return VendorPausedError(self.name, ticker, reason, error_class=error_class)


def _moment(unix_s: float) -> str:
    return f"{dt.datetime.fromtimestamp(unix_s, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
