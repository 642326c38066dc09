"""How much of the disk the local copy may take: the oldest files make room for new ones."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

#: Share of the limit that is left after files had to go, so that not every new one looks through all the others.
_EASED = 0.9


class DiskBudget:
    """Bytes under a folder, at most `max_bytes` of them, whoever wrote them.

    What this process adds is counted; the folder is looked through only when the limit seems reached. Other processes
    may write and evict there at the same time: a file that is gone when its turn comes has made its room already.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._folder = folder
        self._used: int | None = None
        self._lock = Lock()

    def make_room(self, needed: int) -> None:
        """Return when `needed` more bytes fit; `OSError` when they never will, or the folder cannot be read."""
        if needed > self.max_bytes:
            raise OSError(f"{needed} bytes are more than the local copy may take ({self.max_bytes})")
        with self._lock:
            if self._used is None or self._used + needed > self.max_bytes:
                self._used = self._evicted(needed)
            self._used += needed

    def _evicted(self, needed: int) -> int:
        """Bytes that are left once the oldest files are gone."""
        files = sorted(self._files())
        used = sum(size for _, size, _ in files)
        if used + needed <= self.max_bytes:
            return used
        for _, size, path in files:
            if used + needed <= _EASED * self.max_bytes:
                break
            path.unlink(missing_ok=True)
            used -= size
        return used

    def _files(self) -> list[tuple[int, int, Path]]:
        found = []
        for path in self._folder.rglob("*"):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # another process was faster
            if path.is_file():
                found.append((stat.st_mtime_ns, stat.st_size, path))
        return found
