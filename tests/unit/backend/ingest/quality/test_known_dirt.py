"""Quality control on recorded dirt: what is found, what is missed, and what is flagged without reason.

The floors are what was measured, written in docs/quality.md; a rule that becomes better may raise them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from backend.ingest.quality.continuity import gap_rows
from backend.ingest.quality.series import series_of
from backend.ingest.quality.versions import checked
from strategy.sessions import sessions_between
from support.known_dirt import JudgedFile, bars_in, judged_file
from support.repair_pairs import KINDS, Score, measured, pair_names

pytestmark = pytest.mark.shared_data

#: Bars of a week each: a rule on daily dividends does not fit them.
WEEKLY = "AV-L-1wk-bad-stock-split"


def total(shared_data: Path, kind: str) -> Score:
    """Score of one kind over all pairs of daily and intraday bars."""
    names = [name for name in pair_names(shared_data) if name != WEEKLY]
    return sum((measured(shared_data, name).scores[kind] for name in names), Score())


@pytest.mark.parametrize(
    ("kind", "precision", "recall"), [("prices", 0.89, 0.76), ("volume", 1.0, 1.0), ("adjusted_close", 0.99, 0.98)]
)
def test_the_repaired_pairs_are_told_apart(shared_data: Path, kind: str, precision: float, recall: float) -> None:
    found = total(shared_data, kind)
    assert found.dirty > 20
    assert found.precision >= precision
    assert found.recall >= recall


def test_a_unit_that_changes_once_and_for_good_is_doubted_at_its_step_alone(shared_data: Path) -> None:
    # SSW.JO: 22 bars in cents, then 7 in rand. A consolidation 100 to 1 that nobody declares looks the same.
    assert measured(shared_data, "SSW-JO-1d-100x-error").rules == {"jump_without_action": 1}


def test_the_weekly_pair_stays_undetected(shared_data: Path) -> None:
    # The week mixes days of before and after the split; with its special dividend the close is where it ought to be.
    assert measured(shared_data, WEEKLY).scores["prices"] == Score(dirty=1, flagged=0, both=0)


def test_a_file_without_bad_dividends_breaks_no_rule(shared_data: Path) -> None:
    found = measured(shared_data, "CALM-1d-no-bad-divs")
    assert found.rules == {}
    assert {found.scores[kind] for kind in KINDS} == {Score()}


@pytest.fixture(scope="module")
def kaggle(shared_data: Path) -> JudgedFile:
    return judged_file(shared_data, "us_sp500_kaggle_2013_2018")


@pytest.fixture(scope="module")
def yahoo(shared_data: Path) -> JudgedFile:
    return judged_file(shared_data, "us_sp500_yahoo_2005_2021")


def test_the_unadjusted_jumps_of_2013_to_2018_are_found(kaggle: JudgedFile) -> None:
    known = {
        ("EBAY", "2015-07-20"),
        ("BAX", "2015-07-01"),
        ("NI", "2015-07-02"),
        ("DISCA", "2014-08-07"),
    }
    assert known <= kaggle.of("jump_without_action")
    # Of 619,017 bars.
    assert len(kaggle.of("jump_without_action")) <= 32


def test_the_bars_of_2013_to_2018_that_contradict_themselves_are_refused(kaggle: JudgedFile) -> None:
    refused = {(row.ticker, str(row.date)): row.rules for row in kaggle.quarantined}
    assert "high_below_low" in refused["AOS", "2014-05-19"]
    # A close of half the price, in a range of the whole one.
    assert refused["LNT", "2016-05-19"] == ("close_outside_range",)
    # The four bars without volume have no open either.
    for bar in (("DHR", "2016-01-12"), ("FTV", "2016-07-01"), ("O", "2016-01-12"), ("UA", "2016-04-07")):
        assert refused[bar] == ("missing_open", "missing_high", "missing_low")


def test_spin_offs_that_the_adjusted_close_knows_are_actions_that_we_do_not(yahoo: JudgedFile) -> None:
    assert {("MO", "2008-03-31"), ("WY", "2010-07-20")} <= yahoo.of("missing_action")


def test_every_bar_without_volume_of_2005_to_2021_is_found(yahoo: JudgedFile) -> None:
    assert len(yahoo.of("zero_volume")) == 1_443


def test_few_bars_of_a_clean_vendor_are_flagged(yahoo: JudgedFile) -> None:
    # 114 jumps in 1.9 million bars: the crash of 2008, 9 March 2020, and real news.
    n_jumps = len(yahoo.of("jump_without_action")) + len(yahoo.of("missing_action"))
    assert n_jumps <= 114
    assert yahoo.of("unit_error") == yahoo.of("bad_split") == set()


def test_splits_that_nothing_declares_are_found_in_unadjusted_funds(shared_data: Path) -> None:
    found = judged_file(shared_data, "etf_2006_2026").of("jump_without_action")
    known = {("EEM", "2008-07-24"), ("USO", "2020-04-29"), ("XLE", "2025-12-05"), ("XLK", "2025-12-05")}
    # And one that is none: oil on 2020-03-09.
    assert found == known | {("USO", "2020-03-09")}


def test_the_months_between_monthly_bars_are_missing_sessions(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "prices" / "asx_yahoo_1988_2016.parquet")
    bhp = table.filter(pc.equal(table["symbol"].cast(pa.string()), "BHP.AX")).sort_by("date")
    bars = bars_in(bhp)
    series = series_of(bars)
    sessions = sessions_between("XASX", dt.date(1988, 1, 29), dt.date(2016, 12, 30))
    gaps = {str(bars["date"][int(row)].as_py()) for row in gap_rows(series, sessions)}
    monthly = [str(day) for day in bars["date"].to_pylist() if day < dt.date(1999, 1, 1)]
    # The first bar of all has none before it.
    assert set(monthly[1:]) <= gaps


def test_the_vix_opens_outside_their_range_are_refused(shared_data: Path) -> None:
    vix = pq.read_table(shared_data / "macro" / "vix_daily.parquet")
    bars = bars_in(vix)
    found = checked(bars, ticker=bars["ticker"][0].as_py(), today=dt.date(2026, 11, 25), is_closes_only=False)
    assert sum("open_outside_range" in row.rules for row in found.quarantined) == 47
