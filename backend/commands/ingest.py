"""An ingest as the command line orders it: a new universe from a source, or a known one as last time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backend.config import Settings
from backend.database.connection import transaction
from backend.database.errors import UnknownUniverseError
from backend.database.universes import UniverseRecord
from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.accounts import TiingoAccount
from backend.ingest.sources.contract import PriceSource
from backend.ingest.sources.sample import SAMPLES
from backend.ingest.sources.selection import make_source
from backend.resources import Resources, tiingo_account
from backend.services.clock import utc_now
from backend.services.ingest import IngestOptions, IngestReport, ingest_by_key, ingest_universe, sample_universe
from backend.services.known_universes import known_universes
from backend.services.universes import check_universe, described


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOrder:
    """What was asked for; `source` None: as the universe was ingested before."""

    universe: str
    source: str | None
    path: Path | None
    columns: Sequence[str]
    has_dated_symbols: bool
    tickers: tuple[str, ...] | None
    lookback_days: int
    is_full: bool
    currency: str | None = None
    calendar: str | None = None
    kind: str | None = None


async def run_ingest(
    resources: Resources,
    settings: Settings,
    order: IngestOrder,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> IngestReport:
    """Ingest as ordered; `SourceSettingsError` names the option that is missing or wrong."""
    tiingo = tiingo_account(settings)
    options = IngestOptions(
        tickers=order.tickers,
        lookback_days=order.lookback_days,
        is_full=order.is_full,
        concurrency=settings.ingest_concurrency,
        progress=progress,
    )
    if order.source is None:
        return await _as_before(resources, order.universe, tiingo, options)
    universe = await _described(resources, order)
    source = make_source(universe.source, universe.source_options, tiingo=tiingo)
    try:
        return await ingest_universe(resources.engine, source, universe, **options)
    finally:
        await source.close()


def other_source(
    settings: Settings, name: str, *, universe: str, path: Path | None, columns: Sequence[str]
) -> PriceSource:
    """A source by its name and options, to compare with what is stored of a universe; the caller closes it."""
    options = {"which": universe} if name == "sample" else _options(name, path, columns)
    return make_source(name, options, tiingo=tiingo_account(settings))


async def _as_before(
    resources: Resources, universe: str, tiingo: TiingoAccount | None, options: IngestOptions
) -> IngestReport:
    try:
        return await ingest_by_key(resources.engine, universe, tiingo=tiingo, **options)
    except UnknownUniverseError as error:
        reason = f"{universe} is new: say where its bars come from (sample, files, yahoo, tiingo)"
        reason += f", or take one of {', '.join(known_universes())}"
        raise SourceSettingsError("source", None, reason) from error


async def _described(resources: Resources, order: IngestOrder) -> UniverseRecord:
    """The universe as it is known, with what the order says of it; a new one where none is known."""
    if order.source == "sample":
        if order.universe not in SAMPLES:
            raise SourceSettingsError("universe", order.universe, f"the sample holds {', '.join(SAMPLES)}")
        return sample_universe(order.universe)
    known = await _known(resources, order.universe)
    said = {name: getattr(order, name) for name in ("currency", "calendar", "kind") if getattr(order, name)}
    options = _options(order.source, order.path, order.columns)
    universe = replace(
        known,
        source=order.source or "",
        source_options=options | ({"symbols": "dated"} if order.has_dated_symbols else {}),
        **said,
    )
    if universe != known:
        check_universe(universe, now=utc_now())
    return universe


async def _known(resources: Resources, key: str) -> UniverseRecord:
    try:
        async with transaction(resources.engine) as connection:
            return (await described(connection, key))[0]
    except UnknownUniverseError:
        return UniverseRecord(
            key=key, name=key, currency="USD", calendar="XNYS", benchmark=None, source="", source_options={}
        )


def _options(name: str | None, path: Path | None, columns: Sequence[str]) -> dict[str, Any]:  # Any: JSON values
    if name != "files":
        return {}
    if path is None:
        raise SourceSettingsError("path", None, "the source files needs --path: a CSV or Parquet file, or a folder")
    pairs = [column.partition("=") for column in columns]
    for their, equals, ours in pairs:
        if not (their and equals and ours):
            raise SourceSettingsError(
                "map", f"{their}{equals}{ours}", "write their=ours, for example --map Symbol=ticker"
            )
    return {"path": str(path.resolve()), "columns": {their: ours for their, _, ours in pairs}}
