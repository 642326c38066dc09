"""Settings: the only reader of the environment."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]
#: What env.template holds where a secret belongs: a value with this in it was never filled in.
PLACEHOLDER = "YOUR-"

logger = logging.getLogger(__name__)


def _unset_if_placeholder(value: object, info: ValidationInfo) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and PLACEHOLDER in text:
        name = (info.field_name or "").upper()
        logger.warning("%s still holds the placeholder of env.template and counts as unset", name)
        return None
    return value


OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_unset_if_placeholder)]


class Settings(BaseSettings):
    """Every setting, read from the environment and then from backend/.env.

    A URL may hold a password and is therefore a secret: it is never printed.
    """

    model_config = SettingsConfigDict(env_file=ROOT / "backend" / ".env", extra="ignore")

    neon_database_url: OptionalSecret = Field(
        default=None, description="PostgreSQL URL as Neon prints it; wins over DATABASE_URL."
    )
    neon_direct_url: OptionalSecret = Field(
        default=None,
        description="PostgreSQL URL that bypasses the pooler, for migrations; else derived from the first.",
    )
    database_url: OptionalSecret = Field(
        default=None, description="SQLite or PostgreSQL URL; absent both, SQLite in data/trades.db."
    )
    database_secret_arn: str | None = Field(
        default=None, description="AWS secret that holds the PostgreSQL URL; wins over both in AWS."
    )
    cache_url: str = Field(
        default=str(ROOT / "cache"), description="Folder, or s3://bucket/prefix, of the Parquet cache."
    )
    cache_local_copy: Path | None = Field(
        default=None, description="Folder that keeps what was read from an S3 cache; on Lambda under /tmp."
    )
    tiingo_api_key: OptionalSecret = Field(default=None, description="Key of the Tiingo source.")
    tiingo_requests_per_hour: int = Field(
        default=50, ge=1, le=1_000_000, description="Hourly limit of that key's plan; the free one has 50."
    )
    tiingo_secret_arn: str | None = Field(
        default=None, description="AWS secret that holds the key of the Tiingo source; wins over it in AWS."
    )
    worker_function: str | None = Field(
        default=None, description="In AWS: the Lambda, with its alias, that does jobs; absent, this process does them."
    )
    sweep_state_machine: str | None = Field(
        default=None, description="In AWS: the state machine that maps sweeps; absent, processes of this machine do."
    )
    sweep_processes: int = Field(
        default=0, ge=0, le=512, description="Processes of a sweep on this machine; 0 is one for each processor."
    )
    sweep_dask_scheduler: str | None = Field(
        default=None, description="Address of a Dask scheduler whose cluster does sweeps instead (extra `dask`)."
    )
    sweep_worker_gb: float = Field(
        default=1.769, gt=0, le=10.24, description="Memory of a worker Lambda, by which sweeps are priced."
    )
    sweep_price_per_gb_second: float = Field(
        default=0.000_016_666_7, ge=0, le=1, description="US dollars of a Lambda's GB-second; sweeps are held to it."
    )
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = Field(
        default="INFO", description="Least severity that a Lambda logs."
    )
    trace_subsegments: bool = Field(
        default=False, description="Trace inside invocations, too, for a quarter of a second of each cold start."
    )
    ingest_concurrency: int = Field(default=8, ge=1, le=64, description="Tickers fetched at once by one ingest run.")
    database_pool_size: int = Field(default=5, ge=1, le=50, description="Connections per process; 1 on Lambda.")
    database_connect_timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="Seconds to keep trying for a connection while the database wakes.",
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: dict[str, Any]) -> dict[str, Any]:  # Any: values as the environment has them
        return {name: value for name, value in values.items() if value != ""}

    def async_source_url(self) -> str:
        """Database URL of the application as the operator gave it, driver not yet chosen."""
        for secret in (self.neon_database_url, self.database_url):
            if secret is not None:
                return secret.get_secret_value()
        return f"sqlite:///{ROOT / 'data' / 'trades.db'}"

    def direct_source_url(self) -> str:
        """Database URL for migrations: the direct one where it is set."""
        if self.neon_direct_url is not None:
            return self.neon_direct_url.get_secret_value()
        return self.async_source_url()
