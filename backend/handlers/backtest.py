"""Lambda of /api/v1/backtest."""

from __future__ import annotations

from backend.container import Container
from backend.routers.backtest import router

container = Container("backtest")
handler = container.http_handler(router)
