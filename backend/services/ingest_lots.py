"""Bars of a batch in lots: of tickers of whose prices one source says the same, each date of a ticker once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from backend.database.bar_staging import BAR_COLUMNS, COLUMNS
from backend.database.universes import UniverseRecord
from backend.ingest.pipeline import TickerOutcome
from backend.ingest.quality.currency import is_wrong_currency
from backend.ingest.quality.versions import version_numbers
from backend.ingest.sources.contract import BAR_METADATA, BAR_SCHEMA

_NONE = pa.schema([*BAR_SCHEMA, *(pa.field(name, pa.string()) for name in COLUMNS[len(BAR_COLUMNS) :])]).empty_table()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Bars that are judged together.

    Parameters
    ----------
    bars : pa.Table of BAR_SCHEMA
        By ticker and date.
    moments : pa.Table
        Their column `known_at` where the source states it; else without a column.
    actions : pa.Table of ACTION_SCHEMA
        What came with them.
    source : str
    facts : mapping
        What the source says of all of them, which is stored with each.
    is_wrong_currency : bool
        Whether it states another currency than the universe's.
    """

    bars: pa.Table
    moments: pa.Table
    actions: pa.Table
    source: str
    facts: Mapping[str, str]
    is_wrong_currency: bool


def lots_of(batch: Sequence[TickerOutcome], universe: UniverseRecord) -> list[Lot]:
    """The good bars of a batch, by ticker: an index takes neighbours faster."""
    parts: dict[tuple[str, str], list[TickerOutcome]] = {}
    for outcome in sorted(batch, key=lambda outcome: outcome.ticker):
        if outcome.good.num_rows:
            told = {name: outcome.metadata.get(name) for name in (*BAR_METADATA, "currency")}
            parts.setdefault((outcome.source, json.dumps(told)), []).append(outcome)
    return [lot for part in parts.values() for lot in _lots(part, universe)]


def rows_of(lots: Sequence[Lot], judged: Sequence[pa.Table]) -> pa.Table:
    """All bars as `backend.database.bar_writer.merge_bars` takes them.

    Parameters
    ----------
    lots : sequence of Lot
    judged : sequence of pa.Table
        Of each lot its bars with the columns `data_quality` and `rules`.

    Returns
    -------
    pa.Table
        Where one source states moments, and another does not, with nulls among them.
    """
    tables = [_rows(lot, bars) for lot, bars in zip(lots, judged, strict=True)]
    return pa.concat_tables(tables or [_NONE], promote_options="default")


def _lots(part: Sequence[TickerOutcome], universe: UniverseRecord) -> Iterator[Lot]:
    metadata = part[0].metadata
    for bars, moments in _series(pa.concat_tables([outcome.good for outcome in part])):
        yield Lot(
            bars=bars,
            moments=moments,
            actions=pa.concat_tables([outcome.actions for outcome in part]),
            source=part[0].source,
            facts={name: metadata[name] for name in BAR_METADATA if name in metadata},
            is_wrong_currency=is_wrong_currency(metadata.get("currency"), universe.currency),
        )


def _series(fetched: pa.Table) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Bars in which a date comes once, with the column of their moments of publication where there is one."""
    if "known_at" not in fetched.column_names:
        yield fetched, fetched.select([])
        return
    numbers = version_numbers(fetched)
    for number in range(int(numbers.max()) + 1):
        version = fetched.filter(pa.array(numbers == number))
        yield version.drop_columns(["known_at"]), version.select(["known_at"])


def _rows(lot: Lot, judged: pa.Table) -> pa.Table:
    texts = _metadata_texts(lot.facts, judged["rules"])
    rows = judged.drop_columns(["rules"]).append_column("source", pa.repeat(lot.source, judged.num_rows))
    rows = rows.append_column("metadata", texts)
    for name in lot.moments.column_names:
        rows = rows.append_column(lot.moments.schema.field(name), lot.moments[name])
    return rows


def _metadata_texts(facts: Mapping[str, str], rules: pa.ChunkedArray) -> pa.ChunkedArray:
    """JSON objects: what the source says of all the bars, and of each the rules of its verdict where it has any."""
    # Names of rules have no comma.
    joined = pc.binary_join(rules, ",").combine_chunks().dictionary_encode()
    texts = [
        json.dumps({**facts, "rules": names.split(",")} if names else facts) for names in joined.dictionary.to_pylist()
    ]
    return pa.array(texts, pa.string()).take(joined.indices)
