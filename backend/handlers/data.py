"""Lambda of /api/v1/data."""

from __future__ import annotations

from backend.container import Container
from backend.routers.data import router

container = Container("data")
handler = container.http_handler(router)
