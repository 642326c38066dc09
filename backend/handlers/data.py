"""Lambda of /api/v1/data."""

from __future__ import annotations

from mangum import Mangum

from backend.app import make_app
from backend.routers.data import router

handler = Mangum(make_app((router,)), lifespan="off")
