"""Making a source from what the database keeps of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.accounts import TiingoAccount
from backend.ingest.sources.guarded import GuardedSource
from backend.ingest.sources.selection import OPTIONS, make_source

ROOT = Path(__file__).resolve().parents[5]
VALID: dict[str, dict[str, Any]] = {  # Any: JSON values
    "sample": {"which": "us5"},
    "files": {"path": "prices.csv", "columns": {"settle": "close"}},
    "yahoo": {},
    "tiingo": {},
}


@pytest.mark.parametrize("name", OPTIONS)
async def test_every_source_is_made_by_its_name(name: str) -> None:
    source = make_source(name, VALID[name], tiingo=TiingoAccount(api_key="not-a-key"))
    assert source.name == name
    await source.close()


async def test_the_columns_of_files_are_optional() -> None:
    assert make_source("files", {"path": "prices.csv"}).name == "files"
    assert make_source("files", {"path": "prices.csv", "columns": None}).name == "files"


async def test_path_and_columns_reach_the_files(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_text("day,settle\n2024-01-02,11\n")
    source = make_source("files", {"path": str(path), "columns": {"day": "date", "settle": "close"}})
    assert await source.tickers() == ["A"]


@pytest.mark.parametrize(
    ("name", "options", "field", "reason"),
    [
        ("bloomberg", {}, "source", "the sources are sample, files, yahoo, tiingo"),
        ("yahoo", {"which": "us5"}, "which", "no option of the source 'yahoo', which has none"),
        ("files", {"file": "a.csv"}, "file", "no option of the source 'files', which has path, columns"),
        ("tiingo", {"api_key": "k"}, "api_key", "no option of the source 'tiingo'"),
        ("sample", {}, "which", "required, as text"),
        ("sample", {"which": "us500"}, "which", "the bundled samples are"),
        ("files", {}, "path", "required, as text"),
        ("files", {"path": ""}, "path", "required, as text"),
        ("files", {"path": 7}, "path", "required, as text"),
        ("files", {"path": "a.csv", "columns": ["close"]}, "columns", "expected an object"),
        ("files", {"path": "a.csv", "columns": {"settle": 1}}, "columns", "expected an object"),
        ("tiingo", {}, "TIINGO_API_KEY", "needs a key"),
        ("tiingo,yahoo", {}, "TIINGO_API_KEY", "needs a key"),
        ("yahoo,yahoo", {}, "source", "names each of tiingo, yahoo at most once"),
        ("yahoo,files", {"path": "a.csv"}, "source", "names each of tiingo, yahoo at most once"),
        ("yahoo,", {}, "source", "names each of tiingo, yahoo at most once"),
        ("yahoo,tiingo", {"which": "us5"}, "which", "no option of the source 'yahoo'"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused_with_the_field_and_the_reason(
    name: str, options: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(SourceSettingsError, match=reason) as caught:
        make_source(name, options)
    assert caught.value.field == field


async def test_several_vendors_are_asked_in_the_order_of_their_names() -> None:
    source = make_source("tiingo, yahoo", {}, tiingo=TiingoAccount(api_key="not-a-key"))
    assert source.name == "tiingo,yahoo"
    await source.close()


def test_an_account_does_not_show_its_key() -> None:
    assert "secret" not in repr(TiingoAccount(api_key="secret"))


async def test_a_vendor_is_behind_limits_and_files_are_not() -> None:
    account = TiingoAccount(api_key="not-a-key", requests_per_hour=7)
    vendors = [make_source("tiingo", {}, tiingo=account), make_source("yahoo", {})]
    assert [type(source) for source in vendors] == [GuardedSource, GuardedSource]
    assert not isinstance(make_source("files", VALID["files"]), GuardedSource)
    for source in vendors:
        await source.close()


def test_only_the_module_of_the_chosen_source_is_imported() -> None:
    code = """
import sys
from backend.ingest.sources.accounts import TiingoAccount
from backend.ingest.sources.selection import make_source
make_source("sample", {"which": "us5"})
print(sorted({"curl_cffi", "httpx", "pandas", "backend.ingest.sources.tiingo"} & set(sys.modules)))
"""
    done = subprocess.run(  # noqa: S603  our own fixed command
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
