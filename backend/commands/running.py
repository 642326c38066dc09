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


def prepare_libraries(environment: MutableMapping[str, str]) -> None:
    """Tell numpy and pyarrow how to work in a process that serves and sweeps; what is set already stays.

    Must come before they are imported, and is in the image (`backend/Dockerfile`) as well.

    - Matrix products (OpenBLAS) on the thread that asks for them: those of a backtest are small, and threads would wait
      for each other, busily, longer than they compute, and take the processor from other requests or trials.
    - Arrow's memory from the system's allocator: its own gives pages back after a moment of rest, and to get them again
      made the tables of a backtest take half as long again.
    """
    for name, value in (("OPENBLAS_NUM_THREADS", "1"), ("ARROW_DEFAULT_MEMORY_POOL", "system")):
        environment.setdefault(name, value)


def run(settings: Settings, job: Callable[[Resources], Coroutine[None, None, T]]) -> T:
    """Open the resources, do one job to its end, close them."""

    async def with_resources() -> T:
        resources = open_resources(settings)
        try:
            return await job(resources)
        finally:
            await resources.close()

    return asyncio.run(with_resources())
