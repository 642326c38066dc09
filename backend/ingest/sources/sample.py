"""The bundled sample: real prices that need no network and no key (database/sample/PROVENANCE.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from backend.ingest.errors import SourceSettingsError, TickerNotFoundError
from backend.ingest.sources.contract import ACTION_SCHEMA, Fetched, FetchRequest
from backend.ingest.sources.files import Parts, within

_FOLDER = Path(__file__).resolve().parents[3] / "database" / "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One bundled set of bars, and the universe it makes: its key, its name, and what is stored with each bar."""

    which: str
    universe: str
    title: str
    bars: str
    actions: str | None
    metadata: Mapping[str, str]


US5 = Sample(
    which="us5",
    universe="SAMPLE_US5",
    title="Five US technology stocks, as traded, 2000-2013",
    bars="us5_bars.parquet",
    actions="us5_actions.parquet",
    metadata={},
)
US20 = Sample(
    which="us20",
    universe="SAMPLE_US20",
    title="Twenty US large caps picked in hindsight, adjusted closes, 1990-2022",
    bars="us20_closes.parquet",
    actions=None,
    metadata={"fields": "close", "basis": "adjusted"},
)
#: By the key of the universe.
SAMPLES: Mapping[str, Sample] = {bundled.universe: bundled for bundled in (US5, US20)}


def sample(name: str) -> Sample:
    """The bundled set of this short name or universe key; `SourceSettingsError` when there is none."""
    for bundled in SAMPLES.values():
        if name in {bundled.which, bundled.universe}:
            return bundled
    known = ", ".join(bundled.which for bundled in SAMPLES.values())
    raise SourceSettingsError("which", name, f"the bundled samples are {known}")


class SampleSource:
    """A bundled set of bars: "us5" has prices as traded with their actions, "us20" adjusted closes only."""

    name = "sample"

    def __init__(self, which: str) -> None:
        self._sample = sample(which)
        self._tables: tuple[Mapping[str, pa.Table], Mapping[str, pa.Table]] | None = None
        self._reading = asyncio.Lock()

    async def tickers(self) -> Sequence[str]:
        """Tickers of the set, sorted."""
        return sorted((await self._loaded())[0])

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Bars and actions of the requested span."""
        bars, actions = await self._loaded()
        if request.ticker not in bars:
            raise TickerNotFoundError(self.name, request.ticker, f"not in the sample {self._sample.universe}")
        return Fetched(
            bars=within(bars[request.ticker], request),
            actions=within(actions.get(request.ticker, ACTION_SCHEMA.empty_table()), request, column="ex_date"),
            metadata=dict(self._sample.metadata),
        )

    async def close(self) -> None:
        """Let the tables go."""
        self._tables = None

    async def _loaded(self) -> tuple[Mapping[str, pa.Table], Mapping[str, pa.Table]]:
        async with self._reading:
            if self._tables is None:
                self._tables = await asyncio.to_thread(self._read)
            return self._tables

    def _read(self) -> tuple[Mapping[str, pa.Table], Mapping[str, pa.Table]]:
        bars = Parts(pq.read_table(_FOLDER / self._sample.bars))
        if self._sample.actions is None:
            return bars, {}
        actions = pq.read_table(_FOLDER / self._sample.actions)
        # The bundled file has splits and dividends alone.
        actions = actions.append_column(ACTION_SCHEMA.field("new_symbol"), pa.nulls(actions.num_rows, pa.string()))
        return bars, Parts(actions, order="ex_date")
