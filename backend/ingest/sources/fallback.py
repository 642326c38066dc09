"""Several vendors in order: what the first cannot give is asked of the next, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from backend.ingest.errors import AllSourcesFailedError, SourceError
from backend.ingest.retry import with_retry
from backend.ingest.sources.contract import FALLBACK_FROM, Fetched, FetchRequest, PriceSource, unheard


class FallbackSource:
    """The first source that gives a ticker, each tried as often as the pipeline would try it.

    Parameters
    ----------
    sources : sequence of PriceSource
        In order of preference; closed together with this one.
    sleep : callable
        Between the attempts at one source.
    """

    def __init__(
        self, sources: Sequence[PriceSource], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._sources = tuple(sources)
        self._sleep = sleep

    @property
    def name(self) -> str:
        """Names of the sources, separated by commas."""
        return ",".join(source.name for source in self._sources)

    async def tickers(self) -> Sequence[str]:
        """Nothing: vendors are asked for named tickers."""
        return ()

    async def close(self) -> None:
        """Close every source."""
        for source in self._sources:
            await source.close()

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Fetch one ticker; `source` of the result says who gave it, `passed_over` why the others did not.

        Raises
        ------
        AllSourcesFailedError
            If none gave it; its error class is that of the first.
        SourceSettingsError
            If one refuses its settings, such as a key: that is not a vendor's failure but ours.
        """
        failures: list[SourceError] = []
        for source in self._sources:
            # Of all but the last an answer may not be the end of it.
            asked = request if source is self._sources[-1] else replace(request, answered=unheard)
            try:
                fetched = await with_retry(partial(source.fetch, asked), sleep=self._sleep)
            except SourceError as error:
                failures.append(error)
            else:
                return _given_by(source.name, fetched, failures)
        raise AllSourcesFailedError(self.name, failures) from failures[0]


def _given_by(name: str, fetched: Fetched, failures: Sequence[SourceError]) -> Fetched:
    if not failures:
        return replace(fetched, source=name)
    metadata = fetched.metadata | {FALLBACK_FROM: failures[0].source}
    return replace(fetched, source=name, metadata=metadata, passed_over=tuple(failures))
