"""What every command that works on the platform needs: its options, and resources for one job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, TypeVar

import typer

from backend.config import Settings
from backend.resources import Resources, open_resources

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for machines.")]
UniverseKey = Annotated[str, typer.Argument(help="Key of the universe, for example SAMPLE_US20.")]


def run(settings: Settings, job: Callable[[Resources], Coroutine[None, None, T]]) -> T:
    """Open the resources, do one job to its end, close them."""

    async def with_resources() -> T:
        resources = open_resources(settings)
        try:
            return await job(resources)
        finally:
            await resources.close()

    return asyncio.run(with_resources())
