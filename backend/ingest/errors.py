"""Errors of ingest: each leaf is one error class, as `ingest_failures` records it.

::

    IngestError
    ├── SourceError                 a vendor or file did not give the bars
    │   ├── RateLimitError          RATE_LIMIT   too many requests          (retried)
    │   ├── SourceTimeoutError      TIMEOUT      no answer in time          (retried)
    │   ├── NetworkError            NETWORK      connection or 5xx          (retried)
    │   ├── TickerNotFoundError     NOT_FOUND    the source does not know the ticker
    │   ├── DelistedError           DELISTED     known, but no longer traded
    │   ├── BadDataError            BAD_DATA     an answer that cannot be understood
    │   ├── VendorPausedError       as its cause the vendor was not asked: it rests, or its limit is used up
    │   └── AllSourcesFailedError   as the first none of several sources gave the bars
    ├── SourceSettingsError         an option of a source is missing or wrong
    │   └── MembersFileError        a file of members has errors; each is named with its line
    ├── AllTickersFailedError       not one ticker of the run succeeded
    └── PartialIngestError          some tickers of a scheduled run failed
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

#: Errors of one file that a message lists.
_SHOWN = 20


class IngestError(Exception):
    """Base of every error that ingest raises."""


class SourceError(IngestError):
    """A source did not give the bars of a ticker."""

    error_class: str = "BAD_DATA"
    is_transient: ClassVar[bool] = False

    def __init__(self, source: str, ticker: str, reason: str) -> None:
        self.source = source
        self.ticker = ticker
        self.reason = reason
        super().__init__(f"{source}: {ticker}: {reason}")


class RateLimitError(SourceError):
    """Too many requests; `retry_after_s` is what the vendor asked for, None when it did not say."""

    error_class = "RATE_LIMIT"
    is_transient = True

    def __init__(self, source: str, ticker: str, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(source, ticker, reason)
        self.retry_after_s = retry_after_s


class SourceTimeoutError(SourceError):
    """No answer in time."""

    error_class = "TIMEOUT"
    is_transient = True


class NetworkError(SourceError):
    """The connection failed, or the vendor answered with a server error."""

    error_class = "NETWORK"
    is_transient = True


class TickerNotFoundError(SourceError):
    """The source does not know the ticker."""

    error_class = "NOT_FOUND"


class DelistedError(SourceError):
    """The source knows the ticker, and that it is no longer traded."""

    error_class = "DELISTED"


class BadDataError(SourceError):
    """The answer cannot be understood: malformed, other columns, another ticker."""

    error_class = "BAD_DATA"


class VendorPausedError(SourceError):
    """The vendor was not asked: it rests after failures, or its limit is used up. Not to be tried again soon."""

    def __init__(self, source: str, ticker: str, reason: str, *, error_class: str) -> None:
        super().__init__(source, ticker, reason)
        self.error_class = error_class


class AllSourcesFailedError(SourceError):
    """None of several sources gave the bars; each has been tried as often as is worth it."""

    def __init__(self, source: str, failures: Sequence[SourceError]) -> None:
        self.failures = tuple(failures)
        reasons = "; ".join(f"{failure.source}: {failure.error_class}: {failure.reason}" for failure in failures)
        super().__init__(source, failures[0].ticker, reasons)
        self.error_class = failures[0].error_class


class SourceSettingsError(IngestError):
    """An option of a source is missing or wrong."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}={value!r}: {reason}")


class MembersFileError(SourceSettingsError):
    """A file of members has errors: `problems` holds each with its line, the message the first of them."""

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        shown = "; ".join(self.problems[:_SHOWN])
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        super().__init__("members", path, f"{len(problems)} errors, nothing was stored: {shown}{more}")


class AllTickersFailedError(IngestError):
    """Not one ticker of the run succeeded, so retry and dead letter must fire."""

    def __init__(self, universe: str, run_id: str, n_tickers: int, first_reason: str) -> None:
        self.universe = universe
        self.run_id = run_id
        self.n_tickers = n_tickers
        super().__init__(
            f"ingest of {universe}: all {n_tickers} tickers failed (run {run_id}); the first: {first_reason}"
        )


class PartialIngestError(IngestError):
    """Some tickers of a scheduled run failed; what could be stored is stored."""

    def __init__(self, universe: str, run_id: str, n_failed: int) -> None:
        self.universe = universe
        self.run_id = run_id
        self.n_failed = n_failed
        super().__init__(f"ingest of {universe}: {n_failed} tickers failed (run {run_id} lists them)")
