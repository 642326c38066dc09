"""The real Lambda runtime: AWS's interface emulator (RIE) around awslambdaric and one of our handlers.

The emulator's binary comes inside the wheel of aws-sam-cli; only that wheel is fetched, nothing of it is installed.
"""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from support.local_server import served
from support.postgres import free_port
from support.tool_venv import ROOT, NoToolError, run

SAM_CLI = "aws-sam-cli==1.170.0"
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")


def interface_emulator() -> Path:
    """The emulator's binary, fetched once; `NoToolError` where there is none for this machine."""
    machine = _MACHINES.get(platform.machine().lower())
    if platform.system() != "Linux" or machine is None:
        raise NoToolError(f"no Lambda runtime for {platform.system()} on {platform.machine()}")
    binary = ROOT / ".venv-emulator-rie" / f"aws-lambda-rie-{SAM_CLI.partition('==')[2]}"
    if not binary.exists():
        with tempfile.TemporaryDirectory() as folder:
            run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, SAM_CLI)
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(f"samcli/local/rapid/aws-lambda-rie-{machine}")
        binary.parent.mkdir(exist_ok=True)
        binary.write_bytes(data)
        binary.chmod(0o755)
    return binary


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaRuntime:
    """A running function.

    `url` takes an event by POST and answers with what the handler returned; calls wait for each other, as the emulator
    bears one at a time.
    """

    url: str
    log: Path

    def invoke(self, event: Mapping[str, Any]) -> Any:  # Any: JSON
        """Answer of the handler to an event."""
        with urllib.request.urlopen(self.url, json.dumps(event).encode(), timeout=120) as answer:  # noqa: S310  our own
            return json.loads(answer.read())

    def init_ms(self) -> float:
        """Milliseconds from the start of the interpreter to a handler that is ready; after the first invocation."""
        found = _INIT.search(self.log.read_text(encoding="utf-8", errors="replace"))
        if found is None:
            raise NoToolError(f"the runtime reported no initialisation; its log is {self.log}")
        return float(found.group(1))


@contextmanager
def lambda_runtime(
    handler: str,
    environment: Mapping[str, str],
    *,
    log: Path,
    python_path: str = "",
    function_name: str = "test",
    port: int = 0,
) -> Iterator[LambdaRuntime]:
    """Run ``module.attribute`` as Lambda does, in a process that sees nothing but this environment.

    `port` is where events are taken; 0: any.
    """
    inner = free_port()
    command = [str(interface_emulator()), "--runtime-interface-emulator-address", f"127.0.0.1:{inner}"]
    command += ["--runtime-api-address", f"127.0.0.1:{free_port()}", sys.executable, "-m", "awslambdaric", handler]
    own = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), python_path))),
        "LAMBDA_TASK_ROOT": str(ROOT),
        "AWS_LAMBDA_FUNCTION_NAME": function_name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "120",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    }
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  our own fixed command
            command, env=own | dict(environment), stdout=sink, stderr=sink, start_new_session=True
        )
        try:
            with _queue_before(f"http://127.0.0.1:{inner}{_INVOCATIONS}", port) as url:
                yield LambdaRuntime(url=url, log=log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)


@contextmanager
def _queue_before(target: str, port: int) -> Iterator[str]:
    """A proxy that passes on one call at a time, and waits until the emulator listens."""
    turn = threading.Lock()

    class Queue(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = self.rfile.read(int(self.headers["Content-Length"]))
            with turn:
                answer = _answer(target, event)
            # The emulator says 200 of an exception, too; Lambda marks it, and so must whoever retries.
            self.send_response(500 if _is_exception(answer) else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            """Write nothing to standard error."""

    with served(Queue, port=port) as url:
        yield url


def _is_exception(answer: bytes) -> bool:
    """Whether the runtime tells of an exception of the handler, which no handler of ours returns in this form."""
    body = json.loads(answer or b"null")
    return isinstance(body, dict) and {"errorMessage", "errorType", "stackTrace"} <= body.keys()


def _answer(target: str, event: bytes) -> bytes:
    for attempt in range(200):
        try:
            with urllib.request.urlopen(target, event, timeout=120) as answer:  # noqa: S310  our own
                body: bytes = answer.read()
                return body
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or attempt == 199:
                raise
            threading.Event().wait(0.02)  # it does not listen yet
    raise NoToolError("the runtime never listened")
