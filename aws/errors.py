"""Errors of the cache, of secrets and of the queue of jobs.

::

    CacheError
    ├── CacheUrlError               the URL of the cache cannot be understood
    ├── ObjectNotFoundError         no object under this key
    ├── CorruptObjectError          the bytes are not those that the hash names
    ├── RefConflictError            somebody else moved the ref first
    ├── UnknownSnapshotError        no snapshot has this id
    ├── StoreUnavailableError       the bucket or folder cannot be reached
    ├── SecretUnavailableError      a secret is missing or cannot be read
    └── QueueUnavailableError       a job could not be handed to its worker
"""

from __future__ import annotations


class CacheError(Exception):
    """Base of every error of this package."""


class CacheUrlError(CacheError):
    """The URL or a key of the cache cannot be understood."""

    def __init__(self, field: str, value: str, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}={value!r}: {reason}")


class ObjectNotFoundError(CacheError):
    """No object under this key."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"no object {key!r} in the cache; build the snapshot again")


class CorruptObjectError(CacheError):
    """The bytes of an object are not those that its hash names."""

    def __init__(self, key: str, expected: str, found: str) -> None:
        self.key = key
        self.expected = expected
        self.found = found
        super().__init__(
            f"{key} is damaged: expected sha256 {expected}, found {found}; remove it and build the snapshot again"
        )


class RefConflictError(CacheError):
    """Somebody else moved the ref first."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"{key} was moved by somebody else in the meantime; try again")


class UnknownSnapshotError(CacheError):
    """No snapshot has this id."""

    def __init__(self, snapshot_id: str) -> None:
        self.snapshot_id = snapshot_id
        super().__init__(f"unknown snapshot {snapshot_id!r}")


class StoreUnavailableError(CacheError):
    """The bucket or folder cannot be reached."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"the cache at {where} cannot be reached ({reason})")


class SecretUnavailableError(CacheError):
    """A secret is missing or cannot be read; its value is in no message."""

    def __init__(self, arn: str, reason: str) -> None:
        self.arn = arn
        self.reason = reason
        super().__init__(f"secret {arn} cannot be read ({reason})")


class QueueUnavailableError(CacheError):
    """A job could not be handed to its worker."""

    def __init__(self, queue: str, reason: str) -> None:
        self.queue = queue
        self.reason = reason
        super().__init__(f"the worker {queue} does not take the job ({reason}); try again")
