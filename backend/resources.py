"""What an entry point opens once and keeps: the database engine, the cache, and the queue of jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore, open_cache
from backend.config import Settings
from backend.database.connection import make_engine
from backend.database.urls import SecretUrl
from backend.ingest.sources.accounts import TiingoAccount
from backend.services.jobs import InProcessQueue, JobQueue, Worker, run_job
from backend.services.sweeps.budgets import Price
from backend.services.sweeps.means import FanOut, SweepMeans


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Engine, cache and queue of one process or Lambda container; none connects before first use."""

    engine: AsyncEngine
    store: ObjectStore
    queue: JobQueue
    price: Price

    async def close(self) -> None:
        """Stop the jobs of this process, then let the connections go."""
        await self.queue.close()
        await self.engine.dispose()


def open_resources(settings: Settings) -> Resources:
    """Open the database and the cache that the settings name."""
    engine = make_engine(
        _database_url(settings),
        pool_size=settings.database_pool_size,
        connect_timeout_s=settings.database_connect_timeout_s,
    )
    store = open_cache(settings.cache_url, local_copy=settings.cache_local_copy)
    return Resources(engine=engine, store=store, queue=_queue(settings, engine, store), price=_price(settings))


def job_worker(settings: Settings, engine: AsyncEngine, store: ObjectStore) -> Worker:
    """What the jobs of this process work with."""
    return Worker(
        engine=engine,
        store=store,
        tiingo=lambda: tiingo_account(settings),
        concurrency=settings.ingest_concurrency,
        sweeps=SweepMeans(
            cache_url=settings.cache_url,
            cache_local_copy=settings.cache_local_copy,
            n_processes=settings.sweep_processes or os.cpu_count() or 1,
            dask_scheduler=settings.sweep_dask_scheduler,
            fan_out=_fan_out(settings),
            price=_price(settings),
        ),
    )


def migration_url(settings: Settings) -> str:
    """Database URL for migrations: from the secret where the settings name one, else as they hold it."""
    arn = settings.database_secret_arn
    return settings.direct_source_url() if arn is None else _fetched(arn)


def tiingo_account(settings: Settings) -> TiingoAccount | None:
    """Account of the Tiingo source: its key from the secret where the settings name one, else as they hold it."""
    key = settings.tiingo_api_key.get_secret_value() if settings.tiingo_api_key else None
    if settings.tiingo_secret_arn is not None:
        key = _fetched(settings.tiingo_secret_arn)
    return TiingoAccount(api_key=key, requests_per_hour=settings.tiingo_requests_per_hour) if key else None


def _queue(settings: Settings, engine: AsyncEngine, store: ObjectStore) -> JobQueue:
    if settings.worker_function is None:
        worker = job_worker(settings, engine, store)
        return InProcessQueue(lambda job_id: run_job(worker, job_id))
    from aws.jobs import WorkerQueue  # noqa: PLC0415  only in AWS

    return WorkerQueue(settings.worker_function)


def _price(settings: Settings) -> Price:
    return Price(memory_gb=settings.sweep_worker_gb, per_gb_second=settings.sweep_price_per_gb_second)


def _fan_out(settings: Settings) -> FanOut | None:
    if settings.sweep_state_machine is None:
        return None
    from aws.executions import SweepExecutions  # noqa: PLC0415  only in AWS

    return SweepExecutions(settings.sweep_state_machine, settings.cache_url).start


def _database_url(settings: Settings) -> str | SecretUrl:
    arn = settings.database_secret_arn
    return settings.async_source_url() if arn is None else SecretUrl(lambda: _fetched(arn))


def _fetched(arn: str) -> str:
    from aws.secrets import fetch_secret  # noqa: PLC0415  boto3 only where a secret is used

    return fetch_secret(arn)
