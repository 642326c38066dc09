"""Decoded columns on the local disk: values that were fetched and verified once, read again at the speed of the disk.

A file is named by the hash of the bytes that it was decoded from, and holds a checksum and the values. The checksum is
there for broken disks and half-written files, not against an adversary: who can write here can change the program too.
SHA-256 of a panel would take five times as long as reading it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from aws.disk_budget import DiskBudget

_CHECKSUM_BYTES = 16


class KeptValues:
    """Values by the hash of their origin; whatever the disk refuses is not kept, and costs time, not answers."""

    def __init__(self, folder: Path, budget: DiskBudget) -> None:
        self._folder = folder
        self._budget = budget

    def read_into(self, sha256: str, out: NDArray[np.float64]) -> bool:
        """Fill a contiguous array with what is kept; False, with `out` undefined, when it is not there whole."""
        path = self._folder / sha256
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return False
        checksum = bytearray(_CHECKSUM_BYTES)
        try:
            size = os.preadv(descriptor, [checksum, _bytes(out)], 0)
            is_whole = size == _CHECKSUM_BYTES + out.nbytes == os.fstat(descriptor).st_size
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return is_whole and _checksum(out) == checksum

    def keep(self, sha256: str, values: NDArray[np.float64]) -> None:
        """Write the values, if the disk lets us; a file appears whole or not at all."""
        path = self._folder / sha256
        draft = path.with_name(f".{sha256}.{uuid4().hex}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._budget.make_room(_CHECKSUM_BYTES + values.nbytes)
            with draft.open("wb") as file:
                file.write(_checksum(values))
                file.write(_bytes(values))
            draft.replace(path)
        except OSError:
            with suppress(OSError):  # eviction will try again
                draft.unlink(missing_ok=True)


def _bytes(values: NDArray[np.float64]) -> memoryview:
    return values.reshape(-1).view(np.uint8).data


def _checksum(values: NDArray[np.float64]) -> bytes:
    import xxhash  # noqa: PLC0415  only where there is a local copy

    return xxhash.xxh3_128_digest(_bytes(values))
