"""Errors of the database layer.

::

    DatabaseError
    ├── DatabaseUrlError            the URL cannot be understood
    ├── DatabaseUnavailableError    no connection within the time allowed
    ├── MigrationError              the schema cannot be brought up to date
    ├── LeaseHeldError              somebody else works on this just now
    ├── IdempotencyConflictError    an Idempotency-Key was used for another request
    ├── UnknownUniverseError        no universe has this key
    ├── UnknownTickerError          no bar of this ticker is stored
    ├── UnknownBacktestError        no backtest has this id
    ├── UnknownSweepError           no sweep has this id
    └── UnknownPreregistrationError no spec is frozen under this id
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence


class DatabaseError(Exception):
    """Base of every error that the database layer words itself."""


class DatabaseUrlError(DatabaseError):
    """The database URL cannot be understood; the message never repeats it, since it may hold a password."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"database URL: {reason}")


class DatabaseUnavailableError(DatabaseError):
    """No connection within the time allowed."""

    def __init__(self, host: str, reason: str) -> None:
        self.host = host
        self.reason = reason
        super().__init__(f"the database at {host} does not answer ({reason}); check that it runs, then try again")


class MigrationError(DatabaseError):
    """The schema cannot be brought up to date: the file is no database, or holds tables of somebody else."""

    def __init__(self, database: str, reason: str) -> None:
        self.database = database
        self.reason = reason
        super().__init__(f"the schema of {database} cannot be migrated ({reason}); nothing was changed")


class LeaseHeldError(DatabaseError):
    """Somebody else holds the lease until `expires_at`, or until they finish."""

    def __init__(self, name: str, expires_at: dt.datetime | None) -> None:
        self.name = name
        self.expires_at = expires_at
        until = f", at the latest until {expires_at.isoformat(timespec='seconds')}" if expires_at else ""
        super().__init__(f"{name} is being worked on by another run{until}; try again after that")


class IdempotencyConflictError(DatabaseError):
    """An Idempotency-Key was used before, for another request."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"Idempotency-Key {key!r} was used for another request; choose a new one")


class UnknownUniverseError(DatabaseError):
    """No universe has this key."""

    def __init__(self, key: str, known: Sequence[str]) -> None:
        self.key = key
        self.known = tuple(known)
        super().__init__(f"unknown universe {key!r}; known are {', '.join(known) or 'none: ingest one first'}")


class UnknownTickerError(DatabaseError):
    """No bar of this ticker is stored."""

    def __init__(self, ticker: str) -> None:
        self.ticker = ticker
        super().__init__(f"unknown ticker {ticker!r}: no bar of it is stored; ingest a universe that holds it")


class UnknownBacktestError(DatabaseError):
    """No backtest has this id."""

    def __init__(self, backtest_id: str) -> None:
        self.backtest_id = backtest_id
        super().__init__(f"unknown backtest {backtest_id!r}")


class UnknownSweepError(DatabaseError):
    """No sweep has this id."""

    def __init__(self, sweep_id: str) -> None:
        self.sweep_id = sweep_id
        super().__init__(f"unknown sweep {sweep_id!r}")


class UnknownPreregistrationError(DatabaseError):
    """No spec is frozen under this id."""

    def __init__(self, preregistration_id: str) -> None:
        self.preregistration_id = preregistration_id
        super().__init__(f"unknown pre-registration {preregistration_id!r}")
