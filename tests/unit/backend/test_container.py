"""What a Lambda container keeps, and what it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: A runtime's root logger has a handler before our module is imported; the context is what our logs use of Lambda's.
SCRIPT = """
import logging, sys
from types import SimpleNamespace
logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
from backend.container import Container

container = Container("test")
context = SimpleNamespace(function_name="f", memory_limit_in_mb=1, invoked_function_arn="a", aws_request_id="request-1")

async def loop_id():
    import asyncio
    return id(asyncio.get_running_loop())

def handle(event, context):
    logging.getLogger("backend.somewhere").warning("something_happened", extra={"n_assets": 40})
    return {"loop": container.run(loop_id()), "is_own": container.run(loop_id()) == id(container.loop)}

handler = container.observed(handle)
answers = [handler({}, context), handler({}, context)]
assert answers[0] == answers[1] and answers[0]["is_own"], answers
print([name for name in %r if name in sys.modules])
"""
HEAVY = ("boto3", "botocore.session", "aws_xray_sdk", "fastapi", "mangum", "numpy", "pandas")


def run(tmp_path: Path, **environment: str) -> list[str]:
    """Lines that a container writes in a process of its own."""
    done = subprocess.run(  # noqa: S603  our own interpreter and script
        [sys.executable, "-c", SCRIPT % (HEAVY,)],
        env={"PATH": os.environ["PATH"], "CACHE_URL": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    return done.stdout.splitlines()


def logged(lines: list[str]) -> list[dict[str, Any]]:  # Any: JSON
    return [json.loads(line) for line in lines if "something_happened" in line]


def test_a_line_of_our_own_log_carries_request_and_fields(tmp_path: Path) -> None:
    first, second = logged(run(tmp_path))
    assert (first["message"], first["n_assets"], first["service"]) == ("something_happened", 40, "test")
    assert first["function_request_id"] == "request-1"
    assert (first["cold_start"], second["cold_start"]) == (True, False)


def test_a_container_imports_nothing_that_its_events_do_not_need(tmp_path: Path) -> None:
    lines = run(tmp_path, DATABASE_SECRET_ARN="arn:aws:secretsmanager:us-east-1:123456789012:secret:x")
    assert lines[-1] == "[]"


@pytest.mark.parametrize(("level", "count"), [("WARN", 2), ("ERROR", 0)])
def test_the_level_of_the_log_is_a_setting(tmp_path: Path, level: str, count: int) -> None:
    assert len(logged(run(tmp_path, LOG_LEVEL=level))) == count
