"""One of several processes of a server, and a channel to it."""

from __future__ import annotations

import threading
from typing import Any

from grpc import aio

from support.calls import Caller
from support.server import RealServer
from support.server_process import ServerProcess


class Replica:
    """A server in its own process, and a channel to it."""

    def __init__(self, process: ServerProcess, token: str) -> None:
        self.process = process
        self.channel = aio.insecure_channel(process.where["grpc"])
        # Nobody reads what it logs from now on, and a full pipe would stop it.
        threading.Thread(target=_drained, args=(process,), daemon=True).start()
        server: Any = RealServer(process, None, token, self.channel)  # type: ignore[arg-type]
        self.caller = Caller(server, token)


def _drained(process: ServerProcess) -> None:
    stderr = process.process.stderr
    assert stderr is not None
    while stderr.readline():
        pass
