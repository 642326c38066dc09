"""`parakeet data universes`, on a copy of the sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from backend.cli import app
from backend.config import Settings


def universes(settings: Settings, *arguments: str) -> Result:
    environment = {
        "NEON_DATABASE_URL": "",
        "DATABASE_URL": settings.async_source_url(),
        "CACHE_URL": settings.cache_url,
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, ["data", "universes", *arguments], env=environment)


def document(done: Result) -> Any:  # Any: JSON
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_list_holds_what_is_stored_and_what_is_known_by_name(sample_settings: Settings) -> None:
    rows = {row["key"]: row for row in document(universes(sample_settings, "list", "--json"))}
    assert (rows["SAMPLE_US5"]["is_stored"], rows["SAMPLE_US5"]["members"]) == (True, 5)
    assert (rows["CORE_ETFS"]["is_stored"], rows["CORE_ETFS"]["members"]) == (False, 12)
    assert (rows["SPX500"]["is_stored"], rows["SPX500"]["members"]) == (False, 0)
    assert "S&P 500" in universes(sample_settings, "list").stdout


def test_a_universe_is_created_changed_and_shown(sample_settings: Settings) -> None:
    made = document(universes(sample_settings, "create", "MINE", "SPY", "TLT", "--benchmark", "SPY", "--json"))
    assert [member["ticker"] for member in made["members"]] == ["SPY", "TLT"]
    assert document(universes(sample_settings, "add", "MINE", "GLD", "--from", "2024-02-01", "--json"))["appended"] == 1
    left = document(universes(sample_settings, "remove", "MINE", "TLT", "--from", "2024-03-01", "--json"))
    assert (left["stays"], left["appended"]) == (3, 1)
    shown = document(universes(sample_settings, "show", "MINE", "--on", "2024-02-29", "--json"))
    assert [member["ticker"] for member in shown["members"]] == ["GLD", "SPY", "TLT"]
    assert shown["benchmark"] == "SPY"
    drawn = universes(sample_settings, "show", "MINE").stdout
    assert "3 stays" in drawn
    assert "2024-02-29" in drawn  # the last day of TLT
    assert "1900" not in drawn


def test_a_list_is_imported_and_a_corrected_one_replaces_it(sample_settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text("ticker,start_date,end_date\nA,2020-01-02,\nB,2020-01-02,2021-01-04\n", encoding="utf-8")
    done = universes(sample_settings, "import", "SPX500", "--members", str(path), "--list-date", "2024-01-05")
    assert done.exit_code == 0, done.stderr
    assert "2 stays (2 new or changed, 0 taken back), list of 2024-01-05" in done.stdout
    path.write_text("ticker,start_date,end_date\nA,2020-01-02,\n", encoding="utf-8")
    refused = universes(sample_settings, "import", "SPX500", "--members", str(path))
    assert (refused.exit_code, "--replace" in refused.stderr) == (2, True)
    report = document(universes(sample_settings, "import", "SPX500", "--members", str(path), "--replace", "--json"))
    assert (report["stays"], report["withdrawn"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("show", "MARS"), 3, "CORE_ETFS"),
        (("create", "MINE", "SPY", "--calendar", "NYSX"), 2, "XNYS"),
        (("create", "MINE", "SPY", "--currency", "USX"), 2, "ISO 4217"),
        (("create", "SAMPLE_US5", "SPY"), 2, "new key"),
        (("add", "SAMPLE_US5", "IBM", "--from", "2024-01-02"), 2, "is a member from"),
        (("remove", "SAMPLE_US5", "ENRON"), 2, "no member"),
        (("import", "SPX500", "--members", "nowhere.csv"), 2, "nowhere.csv"),
        (("import", "MARS", "--members", str(Path(__file__))), 2, "columns found"),
    ],
)
def test_bad_input_has_an_exit_code_and_a_reason(
    sample_settings: Settings, arguments: tuple[str, ...], code: int, word: str
) -> None:
    done = universes(sample_settings, *arguments)
    assert done.exit_code == code, done.stdout + done.stderr
    assert word in done.stderr
