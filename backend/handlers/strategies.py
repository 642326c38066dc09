"""Lambda of /api/v1/strategies."""

from __future__ import annotations

from backend.container import Container
from backend.routers.strategies import router

container = Container("strategies")
handler = container.http_handler(router)
