"""What is doubtful of a universe: bars by rule and by ticker, as known at a moment."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.flagged_bars import FlaggedBar, bar_counts, flagged_bars
from backend.database.universes import get_universe, members
from backend.ingest.quality.rules import RULES, VERDICTS

#: Tickers and bars that a report shows, so that a page stays a page.
N_WORST, N_SHOWN = 20, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How many stored bars, of how many tickers, break a rule."""

    rule: str
    severity: str
    says: str
    bars: int
    tickers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerQuality:
    """Bars of a ticker: all, suspect and bad ones, and how many break each rule."""

    ticker: str
    bars: int
    suspect: int
    bad: int
    rules: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """The doubtful bars of a universe.

    Parameters
    ----------
    universe : str
    as_of : datetime
        Moment of knowledge, UTC.
    quality : dict
        Bars by good, suspect and bad; suspect ones are served, bad ones are not.
    rules : tuple of RuleCount
        Every rule on stored bars, in the order of `backend.ingest.quality.RULES`, also those that none breaks.
    worst : tuple of TickerQuality
        The N_WORST tickers with the largest share of doubtful bars, bad ones first.
    flagged : tuple of FlaggedBar
        The N_SHOWN newest doubtful bars, bad ones first.
    """

    universe: str
    as_of: dt.datetime
    quality: dict[str, int]
    rules: tuple[RuleCount, ...]
    worst: tuple[TickerQuality, ...]
    flagged: tuple[FlaggedBar, ...]


async def quality_report(connection: AsyncConnection, key: str, *, as_of: dt.datetime) -> QualityReport:
    """The stored verdicts on every ticker that ever was in the universe; `UnknownUniverseError` without it."""
    tickers = await tickers_of(connection, key, as_of=as_of)
    flagged = await flagged_bars(connection, tickers, as_of=as_of)
    counts = await bar_counts(connection, tickers, as_of=as_of)
    return report_of(key, flagged, counts, as_of=as_of)


async def tickers_of(connection: AsyncConnection, key: str, *, as_of: dt.datetime | None = None) -> list[str]:
    """Every ticker that ever was in the universe, sorted."""
    await get_universe(connection, key)
    stays, _ = await members(connection, key, as_of=as_of)
    return sorted({stay.ticker for stay in stays})


def report_of(
    universe: str, flagged: Sequence[FlaggedBar], counts: Mapping[str, int], *, as_of: dt.datetime
) -> QualityReport:
    """The report on some doubtful bars, given how many bars each ticker has."""
    by_quality = Counter(bar.quality for bar in flagged)
    by_rule = Counter(rule for bar in flagged for rule in bar.rules)
    pairs = {(rule, bar.ticker) for bar in flagged for rule in bar.rules}
    tickers = Counter(rule for rule, _ in pairs)
    newest_first = sorted(flagged, key=lambda bar: (bar.quality != "bad", -bar.date.toordinal(), bar.ticker))
    return QualityReport(
        universe=universe,
        as_of=as_of,
        quality={
            "good": sum(counts.values()) - len(flagged),
            "suspect": by_quality["suspect"],
            "bad": by_quality["bad"],
        },
        rules=tuple(
            RuleCount(
                rule=name,
                severity=RULES[name].severity,
                says=RULES[name].says,
                bars=by_rule[name],
                tickers=tickers[name],
            )
            for name in VERDICTS
        ),
        worst=_worst(flagged, counts),
        flagged=tuple(newest_first[:N_SHOWN]),
    )


def _worst(flagged: Sequence[FlaggedBar], counts: Mapping[str, int]) -> tuple[TickerQuality, ...]:
    by_ticker: dict[str, list[FlaggedBar]] = {}
    for bar in flagged:
        by_ticker.setdefault(bar.ticker, []).append(bar)
    found = [
        TickerQuality(
            ticker=ticker,
            bars=counts[ticker],
            suspect=sum(bar.quality == "suspect" for bar in bars),
            bad=sum(bar.quality == "bad" for bar in bars),
            rules=dict(Counter(rule for bar in bars for rule in bar.rules)),
        )
        for ticker, bars in by_ticker.items()
    ]
    found.sort(key=lambda item: (-item.bad / item.bars, -item.suspect / item.bars, item.ticker))
    return tuple(found[:N_WORST])
