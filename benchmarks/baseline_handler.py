"""What every HTTP Lambda of this kind imports at the least: the yardstick of cold_start.py."""

import asyncpg
import fastapi
import mangum
import sqlalchemy.ext.asyncio

IMPORTED = (asyncpg, fastapi, mangum, sqlalchemy.ext.asyncio)


def handler(_event: object, _context: object) -> str:
    """Answer anything."""
    return "ok"
