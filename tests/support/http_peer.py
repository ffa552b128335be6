"""A server that answers as a test says, byte by byte where it has to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Peer:
    """The running server; `answer` may be exchanged at any time."""

    answer: Callable[[Asked, Write], Awaitable[None]]
    scheme: str = "http"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Return a URL of this server."""
        return f"{self.scheme}://{host}:{self.port}{path}"


def reply(
    body: bytes = b"", status: int = 200, reason: str = "OK", **headers: str
) -> Callable[[Asked, Write], Awaitable[None]]:
    """Return an answer that is always this; underscores in names stand for hyphens."""
    lines = {"content-length": str(len(body))} | {name.replace("_", "-"): v for name, v in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    raw = f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode() + body

    async def answer(_: Asked, write: Write) -> None:
        await write(raw)

    return answer


@asynccontextmanager
async def peer(
    answer: Callable[[Asked, Write], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    """Run a server on the loopback address; it keeps connections open."""
    made = Peer(answer, "https" if tls else "http")
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            while asked := await _read(reader):
                made.asked.append(asked)
                await made.answer(asked, write)
        except (ConnectionError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    first = await reader.readline()
    if not first:
        return None
    method, target, _ = first.decode().split(" ", 2)
    headers = {}
    while (line := await reader.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode().partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body)
