"""The quality report as a page: complete, and harmless whatever a ticker is named."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser

from backend.database.flagged_bars import FlaggedBar
from backend.ingest.quality.rules import RULES
from backend.services.quality_page import quality_page
from backend.services.quality_report import N_SHOWN, N_WORST, report_of

NOW = dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC)


def flagged(ticker: str, number: int = 0, quality: str = "suspect") -> FlaggedBar:
    return FlaggedBar(
        ticker=ticker,
        date=dt.date(2024, 1, 2) + dt.timedelta(days=number),
        close=11.0,
        source="vendor",
        quality=quality,
        rules=("unit_error",) if quality == "bad" else ("stale_close",),
        known_at=NOW,
    )


class Tags(HTMLParser):
    """Collects the tags that were opened and not closed, and every tag's name."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  the parser passes it
        self.names.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_names_every_rule_with_its_meaning_and_closes_every_tag() -> None:
    page = quality_page(report_of("U", [flagged("A"), flagged("B", quality="bad")], {"A": 10, "B": 10}, as_of=NOW))
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert all(name in page for name in RULES)
    assert "2024-06-03 22:00:00 UTC" in page
    assert "90.000%" in page


def test_the_name_of_a_ticker_or_universe_cannot_bring_markup_in() -> None:
    evil = "<script>alert(1)</script>&\"'"
    tags = Tags()
    tags.feed(quality_page(report_of(evil, [flagged(evil)], {evil: 1}, as_of=NOW)))
    assert "script" not in tags.names


def test_a_universe_without_a_doubtful_bar_says_none() -> None:
    page = quality_page(report_of("U", [], {}, as_of=NOW))
    assert page.count("<p>None.</p>") == 2


def test_a_report_shows_bad_bars_first_then_the_newest_and_not_more_than_a_page() -> None:
    many = [flagged(f"T{number:03}", number) for number in range(150)]
    report = report_of(
        "U", [*many, flagged("BAD", quality="bad")], {bar.ticker: 2 for bar in many} | {"BAD": 4}, as_of=NOW
    )
    assert (len(report.worst), len(report.flagged)) == (N_WORST, N_SHOWN)
    assert [bar.ticker for bar in report.flagged[:2]] == ["BAD", "T149"]
    assert report.worst[0].ticker == "BAD"
    assert report.quality == {"good": 304 - 151, "suspect": 150, "bad": 1}
