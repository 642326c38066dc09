"""The installed command, run as a person or a script runs it."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.config import Settings
from backend.database.connection import make_engine
from backend.database.leases import acquire_lease

PARAKEET = Path(sys.executable).with_name("parakeet")


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "NEON_DATABASE_URL": "",
        "DATABASE_URL": settings.async_source_url(),
        "CACHE_URL": settings.cache_url,
        "COLUMNS": "140",
        **more,
    }


def parakeet(settings: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  the command under test
        [PARAKEET, *arguments], env=environment_of(settings, **more), capture_output=True, text=True, check=False
    )


def document(done: subprocess.CompletedProcess[str]) -> Any:  # Any: JSON
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_quickstart_repeats_nothing(sample_settings: Settings) -> None:
    first = document(parakeet(sample_settings, "quickstart", "--json"))
    again = document(parakeet(sample_settings, "quickstart", "--json"))
    assert [item["spec"]["strategy"] for item in first] == ["dual_momentum", "equal_weight"]
    assert again == first
    (us5,) = (row for row in document(parakeet(sample_settings, "data", "status", "--json")) if row["tickers"] == 5)
    assert us5["last_run"]["inserted"] == us5["bars"]


def test_a_backtest_by_command_line_and_by_python_is_one(sample_settings: Settings) -> None:
    arguments = ("backtest", "dual_momentum", "SAMPLE_US5", "--param", "top_n=1", "--start", "2004-01-02", "--json")
    first = parakeet(sample_settings, *arguments)
    assert document(first)["spec"]["parameters"]["top_n"] == 1
    assert parakeet(sample_settings, *arguments).stdout == first.stdout


def test_summaries_are_drawn_for_people(sample_settings: Settings) -> None:
    done = parakeet(sample_settings, "backtest", "equal_weight", "SAMPLE_US5")
    assert done.returncode == 0, done.stderr
    assert "equal_weight" in done.stdout
    assert "max drawdown" in done.stdout
    assert " %" in done.stdout


def test_a_stored_backtest_is_validated(sample_settings: Settings) -> None:
    backtest_id = document(parakeet(sample_settings, "backtest", "equal_weight", "SAMPLE_US5", "--json"))["id"]
    drawn = parakeet(sample_settings, "validate", backtest_id[:12], "--shock", "class:equity=-0.2").stdout
    for text in ("deepest fall", "Market falls", "The financial crisis", "of equity", "% of paths"):
        assert text in drawn


def test_strategies_are_listed_and_described(sample_settings: Settings) -> None:
    assert "hierarchical_risk_parity" in parakeet(sample_settings, "strategies").stdout
    assert "lookback" in parakeet(sample_settings, "strategies", "dual_momentum").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("backtest", "astrology", "SAMPLE_US5"), 2, "dual_momentum"),
        (("backtest", "equal_weight", "MARS"), 3, "SAMPLE_US5"),
        (("validate", "0" * 64), 3, "unknown backtest"),
        (("backtest", "equal_weight", "SAMPLE_US5", "--param", "tickers"), 2, "name=value"),
        (("backtest", "equal_weight", "SAMPLE_US5", "--param", 'tickers=["ENRON"]'), 2, "ENRON"),
        (("backtest", "equal_weight", "SAMPLE_US5", "--costs", "none"), 2, "ten_bps"),
        (("backtest", "equal_weight", "SAMPLE_US5", "--rebalance", "hourly"), 2, "monthly"),
        (("backtest", "equal_weight", "SAMPLE_US5", "--start", "2012-01-03", "--end", "2011-01-03"), 2, "after end"),
        (("strategies", "astrology"), 3, "dual_momentum"),
        (("snapshot", "MARS"), 3, "SAMPLE_US5"),
        (("ingest", "MARS"), 2, "source"),
        (("ingest", "MARS", "--source", "oracle"), 2, "tiingo"),
        (("ingest", "MARS", "--source", "sample"), 2, "SAMPLE_US5"),
        (("ingest", "MINE", "--source", "files"), 2, "--path"),
        (("ingest", "MINE", "--source", "files", "--path", "nowhere.csv"), 2, "nowhere.csv"),
        (("ingest", "MINE", "--source", "tiingo", "--tickers", "SPY"), 2, "TIINGO_API_KEY"),
        (("ingest", "SAMPLE_US5", "--source", "sample", "--tickers", "ENRON"), 1, "ENRON"),
    ],
)
def test_bad_input_has_an_exit_code_and_a_reason(
    sample_settings: Settings, arguments: tuple[str, ...], code: int, word: str
) -> None:
    done = parakeet(sample_settings, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_json_where_machines_read(sample_settings: Settings) -> None:
    done = parakeet(sample_settings, "backtest", "astrology", "SAMPLE_US5", "--json")
    assert json.loads(done.stderr)["field"] == "strategy"
    assert json.loads(done.stderr)["exit_code"] == done.returncode == 2


def test_a_file_with_wrong_columns_names_them_and_the_remedy(sample_settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("when,what,how_much\n2020-01-02,SPY,300\n")
    done = parakeet(sample_settings, "ingest", "MINE", "--source", "files", "--path", str(path))
    assert done.returncode == 2
    assert "how_much" in done.stderr
    assert "--map" in done.stderr


def test_a_file_that_cannot_be_read_is_named(sample_settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "torn.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    done = parakeet(sample_settings, "ingest", "MINE", "--source", "files", "--path", str(path))
    assert done.returncode == 2
    assert "torn.parquet" in done.stderr


def test_a_database_that_is_down_has_its_exit_code(sample_settings: Settings) -> None:
    # Port 9 is discard: nothing listens there.
    more = {"DATABASE_URL": "postgresql://u:very-secret@127.0.0.1:9/db", "DATABASE_CONNECT_TIMEOUT_S": "0.2"}
    for arguments in (("data", "status"), ("migrate",)):
        done = parakeet(sample_settings, *arguments, **more)
        assert done.returncode == 4, done.stderr
        assert "does not answer" in done.stderr
        assert "very-secret" not in done.stdout + done.stderr


async def test_a_universe_that_is_being_ingested_is_locked(sample_settings: Settings) -> None:
    engine = make_engine(sample_settings.async_source_url())
    async with engine.begin() as connection:
        await acquire_lease(connection, "ingest:SAMPLE_US5", "somebody", ttl_s=60, now=dt.datetime.now(dt.UTC))
    await engine.dispose()
    done = parakeet(sample_settings, "ingest", "SAMPLE_US5")
    assert done.returncode == 5
    assert "another run" in done.stderr


def test_diff_of_two_moments_before_anything_was_known_is_empty(sample_settings: Settings) -> None:
    arguments = ("data", "diff", "--as-of", "2020-01-02", "--as-of", "2020-01-01")
    assert document(parakeet(sample_settings, *arguments, "--json")) == {
        "by_field": {},
        "changes": [],
        "is_complete": True,
    }
    assert "nothing was rewritten" in parakeet(sample_settings, *arguments).stdout


@pytest.mark.parametrize("n_moments", [1, 3])
def test_diff_wants_two_moments(sample_settings: Settings, n_moments: int) -> None:
    done = parakeet(sample_settings, "data", "diff", *["--as-of", "2020-01-02"] * n_moments)
    assert done.returncode == 2
    assert "give --as-of twice" in done.stderr


def test_factor_files_are_imported_and_listed(sample_settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "ff.csv"
    path.write_text(",SMB,HML\n19630701,0.02,-0.35\n")
    arguments = ("data", "factors", "import", str(path), "--dataset", "ff")
    done = document(parakeet(sample_settings, *arguments, "--json"))
    assert (done["new"], done["unit"]) == (2, "fraction")
    assert "0 new, 0 changed, 0 withdrawn, 2 unchanged values" in parakeet(sample_settings, *arguments).stdout
    assert [row["name"] for row in document(parakeet(sample_settings, "data", "factors", "show", "--json"))] == [
        "HML",
        "SMB",
    ]
    assert "1963-07-01 to 1963-07-01" in parakeet(sample_settings, "data", "factors", "show", "ff").stdout


@pytest.mark.parametrize(("text", "code"), [(None, 2), ("what,is,this\n", 1)])
def test_a_factor_file_that_cannot_be_read_is_bad_input(
    sample_settings: Settings, tmp_path: Path, text: str | None, code: int
) -> None:
    path = tmp_path / "ff.csv"
    if text is not None:
        path.write_text(text)
    done = parakeet(sample_settings, "data", "factors", "import", str(path), "--dataset", "ff")
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


def test_an_audit_shows_broken_rules_and_writes_a_page(sample_settings: Settings, tmp_path: Path) -> None:
    page = tmp_path / "quality.html"
    done = parakeet(sample_settings, "data", "quality", "SAMPLE_US5", "--html", str(page))
    assert done.returncode == 0, done.stderr
    assert "jump_without_action" in done.stdout
    assert "12,154 bars: 12,153 good, 1 suspect, 0 bad; 0 verdicts differ from the stored ones, 0 stored" in done.stdout
    assert "2000-09-29" in page.read_text()
    audit = document(parakeet(sample_settings, "data", "quality", "SAMPLE_US5", "--store", "--json"))
    assert (audit["n_bars"], audit["n_changed"], audit["n_stored"]) == (12_154, 0, 0)


def test_a_universe_agrees_with_the_source_it_came_from(sample_settings: Settings) -> None:
    found = document(parakeet(sample_settings, "data", "reconcile", "SAMPLE_US5", "--source", "sample", "--json"))
    assert [item["ticker"] for item in found["tickers"]] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert {item["only_stored"] + item["only_other"] for item in found["tickers"]} == {0}


def test_a_file_in_another_unit_is_told_by_its_factor_and_by_the_exit_code(
    sample_settings: Settings, tmp_path: Path
) -> None:
    # IBM of these sessions to within a per cent, times 100.
    closes = {"2005-02-25": 9_280, "2005-02-28": 9_258, "2005-03-01": 9_330, "2005-03-02": 9_228, "2005-03-03": 9_241}
    file = tmp_path / "IBM.csv"
    file.write_text("Date,Close\n" + "".join(f"{day},{close}\n" for day, close in closes.items()))
    arguments = ("data", "reconcile", "SAMPLE_US5", "--source", "files", "--path", str(file), "--tickers", "IBM")
    done = parakeet(sample_settings, *arguments)
    assert done.returncode == 1, done.stderr
    assert "100 from 2005-02-25 to 2005-03-03" in done.stdout
    assert "100.00% different" in done.stdout


def test_a_reconciliation_with_files_needs_a_path(sample_settings: Settings) -> None:
    done = parakeet(sample_settings, "data", "reconcile", "SAMPLE_US5", "--source", "files")
    assert (done.returncode, "--path" in done.stderr) == (2, True)


def test_the_tearsheet_of_nothing_is_not_found(sample_settings: Settings) -> None:
    unknown = parakeet(sample_settings, "tearsheet", "0123abcd")
    assert (unknown.returncode, "unknown backtest" in unknown.stderr) == (3, True)


def test_a_backtest_says_what_speaks_for_and_against_it(sample_settings: Settings) -> None:
    done = parakeet(sample_settings, "backtest", "equal_weight", "SAMPLE_US5")
    for words in ("probability that Sharpe > 0", "capital in names later delisted", "deflated Sharpe ratio"):
        assert words in done.stdout


def test_a_frozen_backtest_is_extended_by_the_same_command(sample_settings: Settings) -> None:
    arguments = ("preregister", "equal_weight", "SAMPLE_US5", "--reason", "Equal parts beat the index.")
    first, again = (json.loads(parakeet(sample_settings, *arguments).stdout) for _ in range(2))
    assert first == again
    assert (len(first["backtest_ids"]), first["out_of_sample"]) == (1, None)
