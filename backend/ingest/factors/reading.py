"""Factor files from disk and from the web, plain or zipped, never larger than expected.

A location is a path, a URL, ``french:NAME`` for a file of Kenneth French's data library (for example
``french:F-F_Research_Data_5_Factors_2x3_daily``), or ``fred:ID`` for a series of FRED (``fred:VIXCLS``).
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from backend.ingest.errors import BadDataError, NetworkError, SourceSettingsError, SourceTimeoutError
from backend.ingest.factors.parsing import parsed_factors
from backend.ingest.factors.table import Factors
from backend.ingest.sources.http import Answer, refusal

#: The largest factor file has 2 MB; a zip could unpack to any size.
_MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSites:
    """Where the two libraries are; ``{}`` stands for the name."""

    french: str = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/{}_CSV.zip"
    fred: str = "https://fred.stlouisfed.org/graph/fredgraph.csv?id={}"


async def read_factors(
    location: str,
    *,
    dataset: str,
    sites: FactorSites | None = None,
    timeout_s: float = 30.0,
    most_bytes: int = _MOST_BYTES,
) -> Factors:
    """Series at a location.

    Raises
    ------
    SourceSettingsError
        If there is no such file.
    SourceError
        If the site does not give it, it is larger than `most_bytes`, or it cannot be understood.
    """
    url = _url(location, sites or FactorSites())
    if url is None:
        content = await asyncio.to_thread(_from_disk, Path(location), dataset, most_bytes)
    else:
        content = await _from_web(url, dataset, timeout_s=timeout_s, most_bytes=most_bytes)
    return await asyncio.to_thread(_parsed, content, dataset, most_bytes)


def _url(location: str, sites: FactorSites) -> str | None:
    kind, _, name = location.partition(":")
    templates = {"french": sites.french, "fred": sites.fred}
    if kind in templates:
        return templates[kind].format(quote(name, safe=""))
    return location if kind in {"http", "https"} else None


def _from_disk(path: Path, dataset: str, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise SourceSettingsError("location", str(path), f"it cannot be read: {error.strerror}") from error
    return _bounded(content, dataset, most_bytes)


async def _from_web(url: str, dataset: str, *, timeout_s: float, most_bytes: int) -> bytes:
    host = httpx.URL(url).host
    content = bytearray()
    try:
        async with (
            asyncio.timeout(10 * timeout_s),
            httpx.AsyncClient(timeout=timeout_s, follow_redirects=True) as client,
            client.stream("GET", url) as response,
        ):
            async for chunk in response.aiter_bytes():
                content += chunk
                _bounded(content, dataset, most_bytes)
    except (httpx.TimeoutException, TimeoutError) as error:
        raise SourceTimeoutError(host, dataset, "no answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NetworkError(host, dataset, type(error).__name__) from error
    answer = Answer(
        status=response.status_code, content=bytes(content), retry_after=response.headers.get("Retry-After")
    )
    refused = refusal(host, dataset, answer)
    if refused is not None:
        raise refused
    return answer.content


def _parsed(content: bytes, dataset: str, most_bytes: int) -> Factors:
    if zipfile.is_zipfile(io.BytesIO(content)):
        content = _unzipped(content, dataset, most_bytes)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # French's prose has accents of an older time
    return parsed_factors(text, dataset=dataset)


def _unzipped(content: bytes, dataset: str, most_bytes: int) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if member.filename.lower().endswith((".csv", ".txt"))]
            if len(members) != 1:
                raise BadDataError("factors", dataset, f"a zip of {len(members)} CSV files, expected one")
            with archive.open(members[0]) as file:
                return _bounded(file.read(most_bytes + 1), dataset, most_bytes)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise BadDataError("factors", dataset, f"a damaged zip ({error})") from error


def _bounded(content: bytes | bytearray, dataset: str, most_bytes: int) -> bytes:
    if len(content) > most_bytes:
        raise BadDataError("factors", dataset, f"larger than {most_bytes:,} bytes: no factor file")
    return bytes(content) if isinstance(content, bytearray) else content
