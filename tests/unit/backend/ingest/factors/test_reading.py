"""Factor files from disk and from a server of the test, plain and zipped, whole and damaged."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path

import pytest

from backend.ingest.errors import (
    BadDataError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceSettingsError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.factors.reading import FactorSites, read_factors
from support.vendors import Play, body, local_vendor, silence, too_many_requests

FRENCH = ",Mkt-RF\n19630701,-0.67\n"
FRED = "observation_date,VIXCLS\n2024-01-02,13.20\n"
NAME = "F-F_Research_Data_5_Factors_2x3_daily"


def zipped(**members: str | bytes) -> bytes:
    """A zip with these members; a name has its dot as two underscores."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


async def values_at(location: str, *, most_bytes: int = 1_000_000) -> list[float | None]:
    found = await read_factors(location, dataset="d", most_bytes=most_bytes)
    values: list[float | None] = found.table["value"].to_pylist()
    return values


@pytest.mark.parametrize("content", [FRENCH.encode(), zipped(factors__CSV=FRENCH), zipped(a__csv=FRENCH, b__pdf="x")])
async def test_a_file_is_read_plain_or_zipped(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "factors"
    path.write_bytes(content)
    assert await values_at(str(path)) == [-0.0067]


async def test_prose_in_an_old_encoding_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "factors.csv"
    path.write_bytes("Données\n".encode("latin-1") + FRENCH.encode())
    assert await values_at(str(path)) == [-0.0067]


@pytest.mark.parametrize(("location", "path"), [("french:" + NAME, f"/ftp/{NAME}_CSV.zip"), ("fred:VIXCLS", "/graph")])
async def test_both_libraries_are_asked_by_the_name_of_a_file(location: str, path: str) -> None:
    plays = {f"/ftp/{NAME}_CSV.zip": body(zipped(x__CSV=FRENCH)), "/graph": body(FRED)}
    with local_vendor(plays) as (url, vendor):
        sites = FactorSites(french=url + "/ftp/{}_CSV.zip", fred=url + "/graph?id={}")
        found = await read_factors(location, dataset="d", sites=sites)
    assert found.table["value"].to_pylist() == ([-0.0067] if location.startswith("french") else [13.2])
    assert vendor.requests[0] == (path, {"id": "VIXCLS"} if path == "/graph" else {})


async def test_a_name_stays_one_part_of_the_address() -> None:
    with local_vendor({}) as (url, vendor), pytest.raises(TickerNotFoundError):
        await read_factors("french:../../etc?x=1", dataset="d", sites=FactorSites(french=url + "/ftp/{}"))
    assert vendor.requests == [("/ftp/../../etc?x=1", {})]


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (body("no", status=404), TickerNotFoundError),
        (body("no", status=503), NetworkError),
        (too_many_requests("5"), RateLimitError),
        (body(FRENCH, missing_bytes=5), NetworkError),
        (body("<html>maintenance</html>"), BadDataError),
        (body(""), BadDataError),
        (body(zipped(a__csv=FRENCH, b__csv=FRENCH)), BadDataError),
        (body(zipped(readme__pdf="x")), BadDataError),
        (body(zipped(a__csv=FRENCH).replace(b"PK\x03\x04", b"PK\x00\x00")), BadDataError),
        (body(FRENCH + " " * 2_000), BadDataError),
        # A thousand times smaller than what it unpacks to.
        (body(zipped(a__csv=b"0" * 1_000_000)), BadDataError),
    ],
)
async def test_a_site_that_does_not_give_the_file_is_an_error_by_name(play: Play, expected: type[SourceError]) -> None:
    with local_vendor({"/f": play}) as (url, _), pytest.raises(SourceError) as caught:
        await values_at(url + "/f", most_bytes=1_500)
    assert type(caught.value) is expected


async def test_a_site_that_does_not_answer_in_time_is_a_timeout() -> None:
    released = threading.Event()
    with local_vendor({"/f": silence(released)}) as (url, _):
        with pytest.raises(SourceTimeoutError):
            await read_factors(url + "/f", dataset="d", timeout_s=0.1)
        released.set()


@pytest.mark.parametrize("name", ["absent.csv", ""])
async def test_a_file_that_is_not_there_is_a_wrong_setting(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceSettingsError, match="cannot be read") as caught:
        await values_at(str(tmp_path / name))
    assert caught.value.field == "location"


async def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(b"x" * 2_000)
    with pytest.raises(BadDataError, match="larger than 1,500 bytes"):
        await values_at(str(path), most_bytes=1_500)
