"""A door before a server: it keeps the first callers out, as a database does that is still waking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

#: What a starting PostgreSQL answers: an ErrorResponse with severity, SQLSTATE 57P03 and a message.
_FIELDS = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
STARTING_UP = b"E" + (len(_FIELDS) + 4).to_bytes(4, "big") + _FIELDS

Greeting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close at once."""


async def answer_that_it_starts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the start-up packet, and answer it with the error of a server that is starting."""
    await reader.read(1024)
    writer.write(STARTING_UP)
    await writer.drain()


async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take everything and never answer, until the caller gives up."""
    while await reader.read(1024):
        pass


class Door:
    """Callers so far, and how many of them are kept out."""

    def __init__(self, server_port: int, greeting: Greeting, n_kept_out: float) -> None:
        self.callers = 0
        self._server_port, self._greeting, self._n_kept_out = server_port, greeting, n_kept_out

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep a caller out, or join the two sides until one of them hangs up."""
        self.callers += 1
        try:
            if self.callers <= self._n_kept_out:
                await self._greeting(reader, writer)
            else:
                there, back = await asyncio.open_connection("127.0.0.1", self._server_port)
                await asyncio.gather(_pumped(reader, back), _pumped(there, writer))
        finally:
            writer.close()


@asynccontextmanager
async def door(
    server_port: int, greeting: Greeting, *, n_kept_out: float, port: int = 0
) -> AsyncIterator[tuple[Door, int]]:
    """The door before a server, and the port on which it listens."""
    made = Door(server_port, greeting, n_kept_out)
    async with await asyncio.start_server(made.meet, "127.0.0.1", port) as listener:
        yield made, listener.sockets[0].getsockname()[1]


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
