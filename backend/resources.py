"""What an entry point opens once and keeps: the database engine and the cache."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore, open_cache
from backend.config import Settings
from backend.database.connection import make_engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Engine and cache of one process or Lambda container; neither connects before first use."""

    engine: AsyncEngine
    store: ObjectStore


def open_resources(settings: Settings) -> Resources:
    """Open the database and the cache that the settings name."""
    engine = make_engine(
        source_url(settings),
        pool_size=settings.database_pool_size,
        connect_timeout_s=settings.database_connect_timeout_s,
    )
    return Resources(engine=engine, store=open_cache(settings.cache_url, local_copy=settings.cache_local_copy))


def source_url(settings: Settings) -> str:
    """Database URL: from Secrets Manager where the settings name a secret, else as they hold it."""
    if settings.database_secret_arn is None:
        return settings.async_source_url()
    from aws.secrets import fetch_secret  # noqa: PLC0415  boto3 only where a secret is used

    return fetch_secret(settings.database_secret_arn)
