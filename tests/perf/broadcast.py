"""The reference for watchers: a bare grpc.aio server that sends the same bytes to every open stream when told to.

Run: `python tests/perf/broadcast.py MESSAGE`; MESSAGE is a file with a serialised response. Prints the port. A call of
`/broadcast/Send` sends it once to every stream of `/release_passport.v1.DecisionService/WatchDecision`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from grpc import aio


async def main(message: bytes) -> None:
    """Serve until killed."""
    queues: set[asyncio.Queue[bytes]] = set()

    async def watch(request: bytes, context: object) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queues.add(queue)
        try:
            yield message
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)

    async def send(request: bytes, context: object) -> bytes:
        for queue in queues:
            queue.put_nowait(message)
        return b""

    server = aio.server()
    handlers: tuple[tuple[str, str, Any], ...] = (
        ("release_passport.v1.DecisionService", "WatchDecision", grpc.unary_stream_rpc_method_handler(watch)),
        ("broadcast", "Send", grpc.unary_unary_rpc_method_handler(send)),
    )
    for service, method, handler in handlers:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes()))
