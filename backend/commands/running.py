"""What every command that works on the platform needs: its options, and resources for one job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, MutableMapping
from typing import Annotated, TypeVar

import typer

from backend.config import Settings
from backend.resources import Resources, open_resources

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for machines.")]
UniverseKey = Annotated[str, typer.Argument(help="Key of the universe, for example SAMPLE_US20.")]


def without_threads_of_products(environment: MutableMapping[str, str]) -> None:
    """Let numpy's library of matrix products (OpenBLAS) work on the thread that asks it; what is set already stays.

    Must come before numpy is imported. The products of a backtest are small: its threads wait for each other, busily,
    longer than they compute, and take the processor from the other requests, or the other processes of a sweep.
    """
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")


def run(settings: Settings, job: Callable[[Resources], Coroutine[None, None, T]]) -> T:
    """Open the resources, do one job to its end, close them."""

    async def with_resources() -> T:
        resources = open_resources(settings)
        try:
            return await job(resources)
        finally:
            await resources.close()

    return asyncio.run(with_resources())
