"""Lambda's Runtime API, as far as one invocation goes: it hands out one event and takes one answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_NEXT = "/2018-06-01/runtime/invocation/next"
_REQUEST_ID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:parakeet-test"


class RuntimeApi:
    """One event and what came back: an answer, or the error that the runtime reported."""

    def __init__(self, event: dict[str, Any]) -> None:  # Any: JSON
        self._event: bytes | None = json.dumps(event).encode()
        self.answer: Any = None  # Any: JSON
        self.error: Any = None  # Any: JSON
        self.address = ""

    def take(self) -> bytes | None:
        """The event, once; then None, which ends the runtime."""
        event, self._event = self._event, None
        return event

    def put(self, path: str, body: bytes) -> None:
        """Keep what the runtime posted."""
        if path.endswith("/response"):
            self.answer = json.loads(body)
        else:
            self.error = json.loads(body)


@contextmanager
def runtime_api(event: dict[str, Any]) -> Iterator[RuntimeApi]:  # Any: JSON
    """Serve the API on a free port of this machine."""
    api = RuntimeApi(event)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            event = api.take() if self.path == _NEXT else None
            self._send(200 if event is not None else 410, event or b"{}")

        def do_POST(self) -> None:
            api.put(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self._send(202, b"{}")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Lambda-Runtime-Aws-Request-Id", _REQUEST_ID)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(round((time.time() + 60) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", _ARN)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The tests' output is not a log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
