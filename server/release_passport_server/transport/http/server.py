"""Uvicorn inside our own loop: our signals, our log, our order of shutting down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from release_passport_server.transport.http.patience import PatientProtocol, patient
from release_passport_server.transport.tls import LiveContext, TLSFiles

# Uvicorn ticks ten times a second.
_TICKS_BETWEEN_LOOKS = 5


class HTTPServer:
    """The second port."""

    def __init__(self, app: ASGIApp, tls: TLSFiles | None) -> None:
        config = uvicorn.Config(
            app,
            http=PatientProtocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=15,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=16 * 1024,
        )
        config.load()
        config.ssl = None if tls is None else LiveContext.of(tls)
        self._server = _Uvicorn(config)
        self._running: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, *, shared: bool = False) -> int:
        """Listen and return the port; raise OSError where the address is taken."""
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind(address)
        except OSError:
            listener.close()
            raise
        bound = int(listener.getsockname()[1])
        self._running = asyncio.create_task(self._server.serve(sockets=[listener]), name="http")
        started = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({started, self._running}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._running.done():
            await self._running
        return bound

    async def stop(self) -> None:
        """Close the port after the answers that are on their way."""
        self._server.should_exit = True
        if self._running is not None:
            await self._running


class _Uvicorn(uvicorn.Server):
    """Leaves the process's signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the sockets."""
        await super().startup(sockets)
        self.listening.set()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections now and then; say whether to stop."""
        if counter % _TICKS_BETWEEN_LOOKS == 0:
            for connection in patient(self.server_state.connections):
                connection.look()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
