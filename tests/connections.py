"""HTTP/1.1 connections that a test holds in its hands: many, idle, or with an answer to come.

httpx decides by itself when it reconnects, and its pool needs much CPU where there are many.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

# Fewer at once than a backlog holds, so that none is retried by the kernel.
OPENED_AT_ONCE = 100


@dataclass(frozen=True)
class Answer:
    """An answer's status and body, and whether the server says that it closes the connection."""

    status: int
    body: bytes
    closes: bool


class Connection:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int = 8000) -> "Connection":
        return cls(*await asyncio.open_connection(host, port))

    def send(self, path: str) -> None:
        """Asks, and does not wait for the answer."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: lab\r\n\r\n".encode())

    async def get(self, path: str) -> Answer:
        """Asks and waits. Raises asyncio.IncompleteReadError where the server has hung up."""
        self.send(path)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        lines = head.splitlines()
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(lines[0].split()[1]), body, headers.get("connection") == "close")

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):  # the server was first
            await self._writer.wait_closed()


@asynccontextmanager
async def connections(host: str, count: int) -> AsyncIterator[Sequence[Connection]]:
    """That many connections, closed at the end of the block."""
    made: list[Connection] = []
    try:
        while len(made) < count:
            missing = min(OPENED_AT_ONCE, count - len(made))
            made += await asyncio.gather(*(Connection.open(host) for _ in range(missing)))
        yield made
    finally:
        await asyncio.gather(*(connection.close() for connection in made))
