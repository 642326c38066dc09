"""The source of a universe, made from its name and options as the database keeps them.

A vendor comes behind limits and a breaker of its own, which last as long as the source: a run. Several vendors,
separated by commas, are asked in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.ingest.breaker import CircuitBreaker
from backend.ingest.errors import SourceSettingsError
from backend.ingest.limits import Limit, RateLimiter
from backend.ingest.sources.accounts import TiingoAccount
from backend.ingest.sources.contract import PriceSource
from backend.ingest.sources.guarded import GuardedSource

#: Options of each source; what is stored with a universe never holds a key.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "sample": ("which",),
    "files": ("path", "columns", "symbols"),
    "yahoo": (),
    "tiingo": (),
}
#: Those that may stand in for each other: what they give is the same companies' prices as traded.
VENDORS = frozenset({"yahoo", "tiingo"})
#: Yahoo states no limit. Its users met 429 after some hundred requests in a burst (yfinance #2128); this pace is ours.
_YAHOO_LIMIT = Limit(requests=5, period_s=1.0)


def make_source(
    name: str,
    options: Mapping[str, Any],  # Any: JSON values, checked here
    *,
    tiingo: TiingoAccount | None = None,
) -> PriceSource:
    """Make the source of this name; only its own module is imported.

    Raises
    ------
    SourceSettingsError
        If there is no such source, it has no such option, or a required option or key is missing.
    """
    if "," in name:
        return _in_order(name, options, tiingo=tiingo)
    if name not in OPTIONS:
        raise SourceSettingsError("source", name, f"the sources are {', '.join(OPTIONS)}")
    for option in options:
        if option not in OPTIONS[name]:
            known = ", ".join(OPTIONS[name]) or "none"
            raise SourceSettingsError(option, options[option], f"no option of the source {name!r}, which has {known}")
    if name == "sample":
        return _sample(options)
    if name == "files":
        return _files(options)
    return _yahoo() if name == "yahoo" else _tiingo(tiingo)


def _in_order(
    name: str,
    options: Mapping[str, Any],  # Any: JSON values
    *,
    tiingo: TiingoAccount | None,
) -> PriceSource:
    from backend.ingest.sources.fallback import FallbackSource  # noqa: PLC0415  only where it is used

    names = [part.strip() for part in name.split(",")]
    if not set(names) <= VENDORS or len(set(names)) < len(names):
        reason = f"a list of sources names each of {', '.join(sorted(VENDORS))} at most once, the preferred one first"
        raise SourceSettingsError("source", name, reason)
    return FallbackSource([make_source(part, options, tiingo=tiingo) for part in names])


def _sample(options: Mapping[str, Any]) -> PriceSource:  # Any: JSON values
    from backend.ingest.sources.sample import SampleSource  # noqa: PLC0415  only the chosen source is imported

    return SampleSource(_required(options, "which", str))


def _files(options: Mapping[str, Any]) -> PriceSource:  # Any: JSON values
    from backend.ingest.sources.files import FilesSource  # noqa: PLC0415  only the chosen source is imported

    columns = options.get("columns") or {}
    if not isinstance(columns, Mapping) or not all(isinstance(ours, str) for ours in columns.values()):
        raise SourceSettingsError("columns", columns, "expected an object of their column names to ours")
    # Whether rows bear the symbols of their day or of today is told to the ingest, which stores them by instrument.
    if options.get("symbols", "current") not in {"current", "dated"}:
        raise SourceSettingsError("symbols", options["symbols"], "expected current or dated")
    return FilesSource(Path(_required(options, "path", str)), columns)


def _yahoo() -> PriceSource:
    from backend.ingest.sources.yahoo import YahooSource  # noqa: PLC0415  only the chosen source is imported

    return _guarded(YahooSource(), _YAHOO_LIMIT)


def _tiingo(account: TiingoAccount | None) -> PriceSource:
    from backend.ingest.sources.tiingo import TiingoSource  # noqa: PLC0415  only the chosen source is imported

    if account is None:
        raise SourceSettingsError("TIINGO_API_KEY", None, "the source 'tiingo' needs a key: set it in the environment")
    return _guarded(TiingoSource(account.api_key), Limit(requests=account.requests_per_hour, period_s=3600.0))


def _guarded(source: PriceSource, limit: Limit) -> PriceSource:
    return GuardedSource(source, limiter=RateLimiter((limit,)), breaker=CircuitBreaker())


def _required(options: Mapping[str, Any], option: str, kind: type[str]) -> str:  # Any: JSON values
    value = options.get(option)
    if not isinstance(value, kind) or not value:
        raise SourceSettingsError(option, value, "required, as text")
    return value
