"""Lambda of /api/v1/strategies."""

from __future__ import annotations

from mangum import Mangum

from backend.app import make_app
from backend.routers.strategies import router

handler = Mangum(make_app((router,)), lifespan="off")
