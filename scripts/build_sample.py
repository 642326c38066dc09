"""Build the bundled sample (database/sample/*) from two PyPI packages that the project itself does not need.

::

    python -m venv sample-venv
    sample-venv/bin/pip install pyarrow bokeh_sampledata==2026.1 skfolio==1.12.2
    PYTHONPATH=. sample-venv/bin/python scripts/build_sample.py

1. us5: five stocks as traded, from ``bokeh_sampledata.stocks`` (Quandl WIKI, public domain).
2. Their splits and dividends, read off the vendor's own adjusted closes: see `actions_of`.
3. us20: twenty adjusted closes, from ``skfolio.datasets`` (BSD-3-Clause).
4. PROVENANCE.md with the sha256 of every file, and the licences.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template

import pyarrow as pa
import pyarrow.parquet as pq

from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "database" / "sample"
TICKERS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
PACKAGES = ("bokeh_sampledata", "skfolio")

#: Relative change of adj_close / close below which nothing happened: the vendor's rounding is 1e-13, the smallest
#: dividend of these series 1e-3.
_NOISE = 1e-7
#: Dollars that a derived dividend may be off whole cents.
_CENT_TOLERANCE = 0.002


class SampleError(Exception):
    """The packages do not hold what the sample is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A split (new shares per old share) or a dividend (dollars per share) on its ex-date."""

    ex_date: str
    kind: str
    value: float


def actions_of(dates: Sequence[str], close: Sequence[float], adjusted: Sequence[float]) -> list[Action]:
    """Splits and dividends that turn as-traded closes into the vendor's adjusted closes.

    With r = adjusted / close and q = r[t] / r[t-1], an event on t has q != 1: a split of 2 has q = 2 and halves the
    price, a dividend D has q = 1 + D / close[t]. `SampleError` when a q is neither, a dividend being whole cents.
    """
    ratios = [a / c for a, c in zip(adjusted, close, strict=True)]
    return [
        _action(dates[row], close[row - 1 : row + 1], ratios[row] / ratios[row - 1])
        for row in range(1, len(ratios))
        if abs(ratios[row] / ratios[row - 1] - 1) > _NOISE
    ]


def _action(day: str, closes: Sequence[float], quotient: float) -> Action:
    before, after = closes
    if abs(quotient - 2) < 1e-6 and 0.4 < after / before < 0.6:  # noqa: PLR2004  a price that halves, give or take a day's move
        return Action(ex_date=day, kind="split", value=2.0)
    dividend = after * (quotient - 1)
    cents = round(dividend, 2)
    if cents <= 0 or abs(dividend - cents) > _CENT_TOLERANCE:
        raise SampleError(f"{day}: adjusted / close changes by {quotient}: neither a split of 2 nor whole cents")
    return Action(ex_date=day, kind="dividend", value=cents)


def us5_tables() -> tuple[pa.Table, pa.Table]:
    """Bars as traded, and the actions derived from them."""
    from bokeh_sampledata import stocks  # noqa: PLC0415  not a dependency of the project

    bars, actions = [], []
    for ticker in TICKERS:
        series = getattr(stocks, ticker)
        columns = {name: series[name] for name in ("open", "high", "low", "close")}
        columns |= {"ticker": [ticker] * len(series["date"]), "adjusted_close": series["adj_close"]}
        columns |= {"date": [date.fromisoformat(day) for day in series["date"]]}
        columns |= {"volume": [float(volume) for volume in series["volume"]]}
        bars.append(pa.table({name: columns[name] for name in BAR_SCHEMA.names}, schema=BAR_SCHEMA))
        for action in actions_of(series["date"], series["close"], series["adj_close"]):
            row = {"ticker": ticker, "ex_date": date.fromisoformat(action.ex_date)}
            actions.append(row | {"kind": action.kind, "value": action.value})
    return pa.concat_tables(bars), pa.Table.from_pylist(actions, schema=ACTION_SCHEMA)


def us20_table() -> pa.Table:
    """Adjusted closes in long form; the suffix keeps them apart from prices as traded."""
    from skfolio.datasets import load_sp500_dataset  # noqa: PLC0415  not a dependency of the project

    closes = load_sp500_dataset()
    parts = []
    for name in sorted(closes.columns):
        columns = {"ticker": [f"{name}.ADJ"] * len(closes), "date": closes.index.date, "close": closes[name].to_numpy()}
        empty = pa.nulls(len(closes), pa.float64())
        parts.append(pa.table({field: columns.get(field, empty) for field in BAR_SCHEMA.names}, schema=BAR_SCHEMA))
    return pa.concat_tables(parts)


def main() -> int:
    """Write the Parquet files, the licences and PROVENANCE.md."""
    SAMPLE.mkdir(parents=True, exist_ok=True)
    bars, actions = us5_tables()
    tables = {"us5_bars": bars, "us5_actions": actions, "us20_closes": us20_table()}
    facts = {f"{package}_version": importlib.metadata.version(package) for package in PACKAGES}
    for name, table in tables.items():
        path = SAMPLE / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd", compression_level=19)
        facts |= {
            f"{name}_rows": f"{table.num_rows:,}",
            f"{name}_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
    (SAMPLE / "LICENSE.bokeh-sampledata").write_text(_WIKI_LICENCE, encoding="utf-8")
    (SAMPLE / "LICENSE.skfolio").write_text(_licence_of("skfolio"), encoding="utf-8")
    (SAMPLE / "PROVENANCE.md").write_text(_PROVENANCE.substitute(facts), encoding="utf-8")
    for name, table in tables.items():
        print(f"{name}: {table.num_rows} rows")
    return 0


def _licence_of(package: str) -> str:
    for file in importlib.metadata.files(package) or ():
        if file.name in {"LICENSE", "LICENSE.txt"} and file.parent.name == "licenses":
            return file.read_text(encoding="utf-8")
    raise SampleError(f"{package} has no licence file among its metadata")


_WIKI_LICENCE = """\
us5_bars.parquet and us5_actions.parquet come from the module bokeh_sampledata.stocks of the package bokeh_sampledata,
which took them from Quandl WIKI Prices and states:

    License: Public Domain.
    Quandl declared the data public domain and permitted redistribution in its publisher notice
    (https://web.archive.org/web/20150411011214/https://www.quandl.com/data/WIKI).
    The values are provided as supplied by the source.

The public-domain notice covers the data. The code of bokeh_sampledata (BSD-3-Clause) is not part of this project.
"""

_PROVENANCE = Template("""\
# Where the sample comes from

Written by `scripts/build_sample.py`, which says how to make these files again. Real prices; for trying the
platform and for its tests, not for investing.

| file | rows | sha256 |
|---|---|---|
| us5_bars.parquet | $us5_bars_rows | `$us5_bars_sha256` |
| us5_actions.parquet | $us5_actions_rows | `$us5_actions_sha256` |
| us20_closes.parquet | $us20_closes_rows | `$us20_closes_sha256` |

## us5: five US technology stocks, as traded, 2000-03-01 to 2013-03-01

- Source: Quandl WIKI Prices, by way of the PyPI package `bokeh_sampledata` $bokeh_sampledata_version, module
  `stocks`.
- Licence: public domain (`LICENSE.bokeh-sampledata`).
- AAPL, IBM and MSFT from 2000-03-01, GOOG from 2004-08-19 (Google's only share class before 2014, which the
  source files under GOOGL), FB from 2012-05-18. Chosen with hindsight: five survivors, so no evidence for any
  strategy.
- Open, high, low, close and volume are as traded and unchanged. `adjusted_close` is the vendor's own figure:
  it allows for events after 2013 too, so only its ratios within the span mean something.
- `us5_actions` is **derived**: with r = adjusted_close / close and q = r[t] / r[t-1], a q of 2 on a halved
  price is a split of 2 (AAPL 2000-06-21 and 2005-02-28, MSFT 2003-02-18), any other q that differs from 1 a
  dividend of close[t] * (q - 1) dollars, rounded to cents. The build refuses a dividend more than 0.2 cent
  off whole cents. A test computes the total-return series from the actions and compares it with the vendor's
  adjusted closes.

## us20: twenty US large caps, adjusted closes, 1990-01-02 to 2022-12-28

- Source: PyPI package `skfolio` $skfolio_version, `skfolio.datasets.load_sp500_dataset()`; it says of them:
  "solely for testing and example purposes ... a stale dataset and does not reflect current or accurate market
  prices".
- Licence: BSD-3-Clause (`LICENSE.skfolio`).
- Closes only, **adjusted** for splits and dividends by the source and rounded to 0.001, so early returns of
  low prices are coarse. They are not prices as traded; the suffix `.ADJ` on every ticker keeps the two apart.
  Survivors as well.
- Changed here: reshaped to long form, suffix added; no value changed.
""")

if __name__ == "__main__":
    sys.exit(main())
