"""A queue of jobs that nobody works on."""

from __future__ import annotations


class Outbox:
    """A queue that only notes what it was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, job_id: str) -> None:
        """Note the job."""
        self.sent.append(job_id)

    async def close(self) -> None:
        """Nothing to close."""
        return
