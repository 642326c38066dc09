"""Arrays computed once and remembered, as many as a stated memory holds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock

import numpy as np
from numpy.typing import NDArray


class Remembered:
    """The arrays asked for last; threads may share it.

    Parameters
    ----------
    most_bytes : int
        Of all that is remembered. What was asked for least recently is forgotten first; an array that is larger by
        itself is handed out and not remembered.
    """

    def __init__(self, most_bytes: int) -> None:
        self.n_bytes = 0
        self._most_bytes = most_bytes
        self._arrays: dict[Hashable, NDArray[np.float64]] = {}  # what was asked for last is last
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """The array of a key, read-only. Two threads that ask at once may both compute it, to the same bits."""
        with self._lock:
            found = self._arrays.pop(key, None)
            if found is not None:
                self._arrays[key] = found
                return found
        array = compute()
        array.flags.writeable = False
        with self._lock:
            if key not in self._arrays and array.nbytes <= self._most_bytes:
                self._arrays[key] = array
                self.n_bytes += array.nbytes
            while self.n_bytes > self._most_bytes:
                self.n_bytes -= self._arrays.pop(next(iter(self._arrays))).nbytes
        return array
