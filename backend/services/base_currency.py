"""The currency that a backtest is kept in, and the snapshot of the rates into it."""

from __future__ import annotations

from aws.s3_cache import ObjectStore
from aws.snapshots import current_snapshot, load_manifest
from backend.services.errors import RequestError

#: Universe whose newest snapshot has the rates, unless a request names one.
FX_UNIVERSE = "FX"
_REMEDY = (
    "ingest currency pairs (`parakeet ingest FX --source files --path pairs.csv --kind fx --calendar 24/5`), "
    "then `parakeet snapshot FX`"
)


async def resolved_base(
    store: ObjectStore, base: str | None, fx_snapshot: str | None, currency: str
) -> tuple[str, str | None]:
    """Base currency and FX snapshot of a spec; None: quotes in `currency` need no rates.

    Raises
    ------
    RequestError
        If there are no rates, or none that lead from `currency` to the base; names the currencies that can be had.
    UnknownSnapshotError
        If the FX snapshot that is asked for is not there.
    """
    if base is None or base == currency:
        return currency, None
    from strategy.currency import reachable  # noqa: PLC0415  most specs need no rates, and a known one no numpy

    snapshot = fx_snapshot or await current_snapshot(store, FX_UNIVERSE)
    if snapshot is None:
        raise RequestError("base_currency", base, f"needs rates, and there is no snapshot of {FX_UNIVERSE}: {_REMEDY}")
    manifest = await load_manifest(store, snapshot)
    known = reachable(manifest.tickers, currency)
    if base not in known:
        raise RequestError("base_currency", base, f"no rates lead to it from {currency}; known are {', '.join(known)}")
    return base, snapshot
