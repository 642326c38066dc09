"""An emulator of AWS on this machine, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

from support.postgres import free_port
from support.tool_venv import NoToolError, tool_venv

REGION = "us-east-1"
_START_S = 60.0


@contextmanager
def running_emulator(folder: Path, *, functions: Mapping[str, str]) -> Iterator[str]:
    """URL of an empty emulator.

    Parameters
    ----------
    folder : Path
        Where it may write.
    functions : mapping of str to str
        Name of a Lambda function to the URL that its events are sent to.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0",
        **{f"MINISTACK_LAMBDA_PROXY_{name}": target for name, target in functions.items()},
    }
    program = tool_venv("emulator") / "ministack"
    with (folder / "emulator.log").open("wb") as sink:
        process = subprocess.Popen([str(program)], env=environment, cwd=folder, stdout=sink, stderr=sink)  # noqa: S603  fixed
        try:
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + _START_S
    while monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):  # noqa: S310  our own
                return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            Event().wait(0.1)
    raise NoToolError("the emulator did not start; see emulator.log")
