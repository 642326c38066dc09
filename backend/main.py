"""The whole API in one process, for laptops and tests: `uvicorn backend.main:make_main_app --factory`."""

from __future__ import annotations

from fastapi import FastAPI

from backend.app import make_app
from backend.resources import Resources
from backend.routers import backtest, data, strategies


def make_main_app(resources: Resources | None = None) -> FastAPI:
    """Application with every router."""
    return make_app((data.router, strategies.router, backtest.router), resources)
