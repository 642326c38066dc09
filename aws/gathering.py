"""Several coroutines side by side, none of which outlives the failure of another."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def gathered(*jobs: Coroutine[None, None, Any]) -> list[Any]:  # Any: each job has its own result
    """Results of all jobs; when one fails, the failure is raised once all have ended."""
    results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
