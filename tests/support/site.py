"""The page as a person meets it: served on a laptop, or from the bucket and the gateway of a deployed stack."""

from __future__ import annotations

import json
import mimetypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import httpx
from playwright.sync_api import Page

from support.edge import running_edge
from support.issuer import AUDIENCE
from support.postgres import free_port
from support.stack import READ, WRITE, Stack
from support.tool_venv import ROOT, NoToolError

DIST = ROOT / "frontend" / "dist"
#: Screenshots are kept here, to be looked at.
ARTIFACTS = ROOT / "build" / "e2e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the page is, a caller of its API, and how a person gets in."""

    name: str
    url: str
    api: Callable[[], httpx.Client]
    has_sign_in: bool
    #: The command line of whoever runs the platform.
    parakeet: Callable[..., object]

    def open(self, page: Page, path: str) -> None:
        """Open a view, signing in where that is asked for."""
        page.goto(self.url + path)
        if self.has_sign_in:
            page.get_by_role("button", name="Sign in as owner").click()

    def document(self, address: str) -> Any:  # Any: JSON
        """The document of the backtest whose page this is, as the API gives it."""
        with self.api() as api:
            return api.get(f"/backtest/{address.partition('?')[0].rpartition('/')[2]}").json()

    def figures(self, backtest_id: str) -> dict[str, Any]:  # Any: a number, a date or nothing
        """Metrics of a backtest as the API gives them."""
        with self.api() as api:
            metrics = api.get(f"/backtest/{backtest_id}").json()["metrics"]
        return {metric["key"]: metric["value"] for metric in metrics}


@contextmanager
def laptop_site(folder: Path) -> Iterator[Site]:
    """What `scripts/run` does: the quick start into a folder, then `parakeet serve`."""
    _check_built()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "NEON_DATABASE_URL": "",
        "DATABASE_URL": f"sqlite:///{folder / 'trades.db'}",
        "CACHE_URL": str(folder / "cache"),
    }
    program = str(Path(sys.executable).with_name("parakeet"))

    def parakeet(*arguments: str) -> None:
        subprocess.run([program, *arguments, "--json"], env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603  our own

    parakeet("quickstart")
    command = [program, "serve", "--port", str(port)]
    with (
        (folder / "serve.log").open("wb") as sink,
        subprocess.Popen(command, env=environment, stdout=sink, stderr=sink) as process,  # noqa: S603  our own
    ):
        try:
            _wait_for(f"{url}/api/v1/data/health")
            api = partial(httpx.Client, base_url=f"{url}/api/v1")
            yield Site(name="laptop", url=url, api=api, has_sign_in=False, parakeet=parakeet)
        finally:
            process.terminate()


@contextmanager
def deployed_site(stack: Stack) -> Iterator[Site]:
    """The page in the stack's bucket, as a release puts it there."""
    _check_built()
    assert stack.issuer is not None, "AWS: the page is tested against the emulator"
    bucket, name = stack.client("s3"), stack.outputs["site_bucket"]
    for path in sorted(path for path in DIST.rglob("*") if path.is_file()):
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        key = path.relative_to(DIST).as_posix()
        bucket.put_object(Bucket=name, Key=key, Body=path.read_bytes(), ContentType=kind)
    config = {"issuer": stack.issuer.url, "client_id": AUDIENCE, "scope": f"openid {READ} {WRITE}"}
    bucket.put_object(Bucket=name, Key="config.json", Body=json.dumps(config).encode(), ContentType="application/json")
    with running_edge(stack) as url:
        yield Site(name="deployed", url=url, api=stack.reader, has_sign_in=True, parakeet=stack.parakeet)


def keep(page: Page, name: str) -> None:
    """Keep what is on the screen."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


def _check_built() -> None:
    if not (DIST / "index.html").exists():
        raise NoToolError("the page was not built; scripts/test builds it")


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(url).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            Event().wait(0.05)  # it does not listen yet
    raise NoToolError(f"nothing answered at {url}")
