"""A vendor on this machine: recorded answers of the real ones, and every way in which a vendor fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml  # type: ignore[import-untyped]  # it has no types, and its stubs are not locked

from support.local_server import served

#: What a server does with a request.
Play = Callable[[BaseHTTPRequestHandler], None]

YAHOO_PATH = "/v8/finance/chart/"


def body(content: str | bytes, *, status: int = 200, missing_bytes: int = 0, **headers: str) -> Play:
    """Answer with this body, of which the last bytes may stay away; headers as `Retry_After="3"`."""
    sent = content if isinstance(content, bytes) else content.encode()

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(sent) + missing_bytes))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(sent)

    return play


def document(value: object, *, status: int = 200) -> Play:
    """Answer with JSON."""
    return body(json.dumps(value), status=status, Content_Type="application/json")


def too_many_requests(retry_after: str | None = None) -> Play:
    """Refuse with 429."""
    text = "Edge: Too Many Requests"
    return body(text, status=429) if retry_after is None else body(text, status=429, Retry_After=retry_after)


def silence(released: threading.Event) -> Play:
    """Answer nothing until the event is set."""

    def play(_handler: BaseHTTPRequestHandler) -> None:
        released.wait()

    return play


class LocalVendor:
    """What is played to whom; the last play of a path is repeated, and a path without one is not found.

    Parameters
    ----------
    plays : mapping of path to plays
    """

    def __init__(self, plays: Mapping[str, Play | Sequence[Play]]) -> None:
        self._plays = {path: list(play) if isinstance(play, Sequence) else [play] for path, play in plays.items()}
        self._lock = threading.Lock()
        self.requests: list[tuple[str, dict[str, str]]] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Play the next answer of the path of this request."""
        url = urlsplit(handler.path)
        with self._lock:
            self.requests.append((unquote(url.path), {name: values[0] for name, values in parse_qs(url.query).items()}))
            plays = self._plays.get(unquote(url.path), [body("", status=404)])
            play = plays.pop(0) if len(plays) > 1 else plays[0]
        play(handler)


@contextmanager
def local_vendor(plays: Mapping[str, Play | Sequence[Play]]) -> Iterator[tuple[str, LocalVendor]]:
    """URL of a server that plays these answers while the body runs, and the server's own account of its requests."""
    vendor = LocalVendor(plays)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            vendor.answer(self)

        def log_message(self, *args: object) -> None:
            """Write nothing to standard error."""

    with served(Handler) as url:
        yield url, vendor


def yahoo_recordings(shared_data: Path) -> list[str]:
    """Names of all recorded answers of Yahoo."""
    return sorted(path.name for path in (shared_data / "fixtures" / "yahoo_chart").glob("*.json"))


def yahoo_chart(shared_data: Path, name: str) -> dict[str, Any]:  # Any: Yahoo's JSON
    """A recorded answer of Yahoo's chart API."""
    recording = json.loads((shared_data / "fixtures" / "yahoo_chart" / name).read_text())
    chart: dict[str, Any] = recording["response"]["bodyJson"]
    return chart


def tiingo_exchanges(shared_data: Path, name: str) -> list[tuple[str, Play]]:
    """Path of each recorded request to Tiingo, and its answer."""
    recorded = yaml.safe_load((shared_data / "fixtures" / "tiingo" / f"{name}.yaml").read_text())
    return [
        (
            urlsplit(exchange["request"]["uri"]).path,
            body(exchange["response"]["body"]["string"], status=exchange["response"]["status"]["code"]),
        )
        for exchange in recorded["interactions"]
    ]
