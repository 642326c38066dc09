"""S3 over HTTP on this machine (moto's server), and a proxy before it that plays faults."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from moto.server import ThreadedMotoServer

from aws.s3_requests import make_client
from support.local_server import served

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "parakeet-cache"
_START_S = 30.0
#: Headers that belong to one connection.
_HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server"}


@contextmanager
def running_s3() -> Iterator[str]:
    """URL of a server with an empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        url = f"http://{host}:{port}"
        client_of(url).create_bucket(Bucket=BUCKET)
        yield url
    finally:
        server.stop()


def client_of(url: str, *, read_timeout_s: float = 8) -> S3Client:
    """A client of that server, as the cache makes its own."""
    return make_client(
        read_timeout_s=read_timeout_s,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def wait_for_s3(url: str) -> None:
    """Return when a server that was just started answers."""
    deadline = monotonic() + _START_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own
                return
        except OSError:
            if monotonic() > deadline:
                raise
            Event().wait(0.1)


class Faults:
    """What the proxy does to the next requests: each takes one fault, and passes unharmed when there is none left.

    A fault is a status to answer with (403, 503 …), "truncate" (half the body, then the connection closes), "shorten"
    (half the body, said to be all of it), "flip" (one bit of the body is another) or "silence" (no answer at all).
    """

    def __init__(self) -> None:
        self.next: list[int | str] = []
        self.seen: list[str] = []
        self.closing = Event()


@contextmanager
def faulty_proxy(server_url: str) -> Iterator[tuple[str, Faults]]:
    """URL of a proxy before a server, and the faults that it plays."""
    faults = Faults()
    handler = type("Handler", (_Handler,), {"faults": faults, "server_netloc": urlsplit(server_url).netloc})
    with served(handler) as url:
        try:
            yield url, faults
        finally:
            faults.closing.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: Faults
    server_netloc: str

    def handle_one_request(self) -> None:
        """As inherited; a caller that hangs up is no error here."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as inherited
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.faults.seen.append(f"{self.command} {urlsplit(self.path).path}")
        fault = self.faults.next.pop(0) if self.faults.next else None
        if fault == "silence":
            self.faults.closing.wait()
            self.close_connection = True
        elif isinstance(fault, int):
            code = {403: "AccessDenied", 503: "SlowDown"}[fault]
            self._answer(fault, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode())
        else:
            self._forward(body, fault)

    def _forward(self, body: bytes, fault: str | None) -> None:
        connection = HTTPConnection(self.server_netloc)
        connection.request(self.command, self.path, body=body, headers=dict(self.headers))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        if fault == "flip":
            data = bytes([data[0] ^ 1]) + data[1:]
        if fault == "shorten":
            data = data[: len(data) // 2]
        self._answer(answer.status, headers, data, is_cut=fault == "truncate")

    def _answer(self, status: int, headers: dict[str, str], data: bytes, *, is_cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if self.command != "HEAD" or "Content-Length" not in headers:
            headers = headers | {"Content-Length": str(len(data))}
        self.send_header("Content-Length", headers["Content-Length"])
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if is_cut else data)
        self.close_connection = is_cut
