"""Errors of the use cases.

::

    ServiceError
    ├── RequestError                a field of a request is wrong
    ├── EmptyUniverseError          a universe has no bars yet
    ├── NoMembersError              a universe of the registry needs a list of its members first
    ├── UniverseExistsError         another universe has the key
    ├── NoSnapshotError             a universe has bars, but no snapshot of them was built
    ├── NoBrowserError              a PDF needs a browser, and there is none
    ├── JobFailedError              a job failed
    └── JobCancelledError           a job was cancelled while it was worked on
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base of every error that the use cases raise."""


class RequestError(ServiceError):
    """A field of a request is wrong; the message names it, its value and the remedy."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}={value!r}: {reason}")


class EmptyUniverseError(ServiceError):
    """A universe has no bars yet."""

    def __init__(self, universe: str) -> None:
        self.universe = universe
        super().__init__(f"universe {universe} has no bars; run `parakeet ingest {universe}` first")


class NoMembersError(ServiceError):
    """A universe of the registry needs a list of its members first."""

    def __init__(self, universe: str) -> None:
        self.universe = universe
        super().__init__(
            f"{universe} has no members yet, and who has bars today would be a list of survivors; take them from a "
            f"dated list: `parakeet data universes import {universe} --members FILE`"
        )


class UniverseExistsError(ServiceError):
    """Another universe has the key."""

    def __init__(self, universe: str) -> None:
        self.field = "key"
        self.value = universe
        super().__init__(
            f"universe {universe} exists already and is another one; choose a new key, or change its members"
        )


class NoSnapshotError(ServiceError):
    """No snapshot of a universe was built."""

    def __init__(self, universe: str) -> None:
        self.universe = universe
        super().__init__(f"universe {universe} has no snapshot; run `parakeet snapshot {universe}` first")


class NoBrowserError(ServiceError):
    """A PDF is printed by a browser, and none could be found or used."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}; install Chromium or Chrome, or `pip install playwright && playwright install chromium`, or "
            "take --format html and print that from any browser"
        )


class JobFailedError(ServiceError):
    """A job failed; unless `is_final` it will be tried again."""

    def __init__(self, job_id: str, reason: str, *, is_final: bool) -> None:
        self.job_id = job_id
        self.reason = reason
        self.is_final = is_final
        super().__init__(f"job {job_id} failed: {reason}")


class JobCancelledError(ServiceError):
    """A job was cancelled while it was worked on."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id} was cancelled")
