"""The clients beside bare stubs: one unary call over TLS, in turns, and the import of the Python client.

Run: `PYTHONPATH=server:clients/python:tests python tests/perf/bench_clients.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import grpc
from grpc import aio

from release_passport import AsyncClient, Client, Target
from release_passport.v1.access_service_pb2 import WhoAmIRequest
from release_passport.v1.access_service_pb2_grpc import AccessServiceStub
from support import typescript
from support.certificates import Certificates
from support.server import real_server

ROUNDS, CALLS, WARM_UP = 41, 60, 5
IMPORTS = 15
LIMITS = {"go": 1.05, "typescript": 1.05, "python": 1.10, "python-async": 1.10}
IMPORT = "import time; began = time.perf_counter(); import release_passport.client; print(time.perf_counter() - began)"
GO = Path(__file__).parents[2] / "clients/go"
ASK = WhoAmIRequest()


async def main() -> None:
    """Serve in this process and measure in others."""
    with tempfile.TemporaryDirectory() as folder:
        files = Certificates.make(Path(folder))
        tls = {"tls_certificate": files.server_certificate, "tls_key": files.server_key}
        async with real_server(Path(folder), grpc=tls, worker={"enabled": False}) as server:
            environment = os.environ | {
                "PASSPORT_ADDRESS": f"localhost:{server.process.grpc_port}",
                "PASSPORT_CA": str(files.authority),
                "PASSPORT_TOKEN": server.token,
            }
            programs = {name: [sys.executable, __file__, name] for name in ("python", "python-async")}
            if not typescript.missing():
                programs["typescript"] = ["node", str(typescript.built() / "dist/bench.js")]
            if shutil.which("go"):
                programs["go"] = ["go", "-C", str(GO), "run", "./internal/bench"]
            for name, program in programs.items():
                said = await _run(program, environment)
                print(f"{name:14} bare {said['bareMs']:.3f} ms, client {said['thinMs']:.3f} ms, ", end="")
                print(f"ratio {said['ratio']:.3f} (at most {LIMITS[name]})")


def _imported() -> float:
    """Return how many milliseconds the client takes to be imported by a new process."""
    times = [float(subprocess.check_output([sys.executable, "-c", IMPORT])) for _ in range(IMPORTS)]
    return median(times) * 1000


async def _run(program: Sequence[str], environment: dict[str, str]) -> dict[str, float]:
    run = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE, env=environment)
    output, _ = await run.communicate()
    said: dict[str, float] = json.loads(output)
    return said


def _measured(target: Target) -> list[tuple[float, float]]:
    credentials = grpc.ssl_channel_credentials(target.ca_certificates)
    metadata = (("authorization", f"Bearer {target.token}"),)
    with grpc.secure_channel(target.server, credentials) as channel, Client(target) as client:
        stub = AccessServiceStub(channel)

        def timed(call: Callable[[], object]) -> float:
            began = perf_counter()
            for _ in range(CALLS):
                call()
            return (perf_counter() - began) / CALLS * 1000

        def bare() -> float:
            return timed(lambda: stub.WhoAmI(ASK, timeout=30, metadata=metadata))

        def thin() -> float:
            return timed(lambda: client.who_am_i(ASK))

        return [_turn(number, bare, thin) for number in range(ROUNDS)]


def _turn(number: int, bare: Callable[[], float], thin: Callable[[], float]) -> tuple[float, float]:
    if number % 2:
        return bare(), thin()
    last = thin()
    return bare(), last


async def _awaited(target: Target) -> list[tuple[float, float]]:
    credentials = grpc.ssl_channel_credentials(target.ca_certificates)
    metadata = (("authorization", f"Bearer {target.token}"),)
    async with aio.secure_channel(target.server, credentials) as channel, AsyncClient(target) as client:
        # The stub is awaited where its channel is.
        stub: Any = AccessServiceStub(channel)

        async def timed(call: Callable[[], Awaitable[object]]) -> float:
            began = perf_counter()
            for _ in range(CALLS):
                await call()
            return (perf_counter() - began) / CALLS * 1000

        found = []
        for number in range(ROUNDS):
            ways: list[Callable[[], Awaitable[object]]] = [
                lambda: stub.WhoAmI(ASK, timeout=30, metadata=metadata),
                lambda: client.who_am_i(ASK),
            ]
            order = (0, 1) if number % 2 else (1, 0)
            times = {which: await timed(ways[which]) for which in order}
            found.append((times[0], times[1]))
        return found


def _measure(name: str) -> None:
    ca = Path(os.environ["PASSPORT_CA"]).read_bytes()
    target = Target(os.environ["PASSPORT_ADDRESS"], token=os.environ["PASSPORT_TOKEN"], ca_certificates=ca)
    found = (asyncio.run(_awaited(target)) if name == "python-async" else _measured(target))[WARM_UP:]
    bare, thin = median(one for one, _ in found), median(other for _, other in found)
    ratio = median(other / one for one, other in found)
    print(json.dumps({"bareMs": bare, "thinMs": thin, "ratio": ratio}))


if __name__ == "__main__":
    if sys.argv[1:]:
        _measure(sys.argv[1])
    else:
        asyncio.run(main())
        print(f"import         {_imported():.0f} ms (at most 350)")
