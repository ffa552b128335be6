"""How fast controllers are answered at their gates, beside Evaluate: `python tests/perf/bench_gates.py`.

A server in its own process, a stand-in for the Kubernetes API in a second one, and this process as the controllers.
Calls go out evenly whatever comes back, and latency counts from when each was due. `--rate 200 --seconds 15` are usual.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from grpc import aio

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS)]

from perf.http1 import Client, serve  # noqa: E402
from perf.servers import Served, passport, sqlite_url  # noqa: E402
from support.calls import Caller  # noqa: E402
from support.gates import CONFIRMING, GateCaller, image, registered  # noqa: E402
from support.shop import opened, released  # noqa: E402

GATES = 50
RELEASE = "tenants/default/services/checkout/environments/prod/releases/1.0.0"
EVALUATE = "/release_passport.v1.DecisionService/Evaluate"
TOKEN = "bench-cluster-token"
Call = Callable[[int], Awaitable[tuple[int, bytes]]]


def _cluster(folder: str, ready: Any) -> None:
    """Serve Canaries and their Deployments until the end."""
    asyncio.run(_serve_objects(Path(folder), ready))


async def _serve_objects(folder: Path, ready: Any) -> None:
    answers: dict[bytes, bytes] = {}
    for number in range(GATES):
        name = f"checkout-{number}"
        containers = [{"name": "app", "image": image("1.0.0")}]
        workload = {"template": {"spec": {"containers": containers}}}
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        canary = {"targetRef": target, "analysis": {"stepWeight": 10, "maxWeight": 50, "webhooks": []}}
        status = {"phase": "Progressing", "canaryWeight": 10}
        for path, kind, spec in (
            (f"/apis/apps/v1/namespaces/shop/deployments/{name}", "Deployment", workload),
            (f"/apis/flagger.app/v1beta1/namespaces/shop/canaries/{name}", "Canary", canary),
        ):
            metadata = {"name": name, "namespace": "shop", "uid": f"{kind}-{number}"}
            held = {"kind": kind, "metadata": metadata, "spec": spec, "status": status}
            answers[path.encode()] = json.dumps(held).encode()
    serving = await serve(answers, TOKEN)
    here = folder / "clusters" / "eu-1"
    here.mkdir(parents=True)
    (here / "server").write_text(f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}")
    (here / "token").write_text(TOKEN)
    ready.set()
    await serving.serve_forever()


async def paced(call: Call, rate: float, seconds: float) -> list[tuple[str, float]]:
    """Send so many calls a second; return of each what was answered, and its latency."""
    loop = asyncio.get_running_loop()
    began, found = loop.time() + 0.1, []

    async def one(number: int) -> None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        status, body = await call(number)
        told = str(status) if status == 200 else f"{status} {body.decode()[:60].strip()}"
        found.append((told, loop.time() - due))

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return found


async def round_of(name: str, server: int, *questions: tuple[Call, float], seconds: float) -> None:
    """Have all of these asked at their rates together; print what came of the first, and what it took."""
    before = _processor_seconds(server)
    found = await asyncio.gather(*(paced(call, rate, seconds) for call, rate in questions))
    spent = (_processor_seconds(server) - before) / sum(map(len, found)) * 1000
    for number, one in enumerate(found):
        print(told(name if number == 0 else "  Evaluate", one), flush=True)
    print(f"  {spent:.2f} ms of the server's processor time a call", flush=True)


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def told(name: str, found: list[tuple[str, float]]) -> str:
    """Return one line about what came back."""
    times = sorted(seconds * 1000 for _, seconds in found)
    shares = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.99)]
    answers = dict(Counter(answer for answer, _ in found).most_common(4))
    return f"{name:<48} {len(found):>6} calls  p50 {shares[0]:6.1f} ms  p99 {shares[1]:6.1f} ms  {answers}"


def _question(client: Client, gate: GateCaller, hook: str) -> bytes:
    """Return the call of a webhook as bytes."""
    body = {"name": gate.gate.object_name, "namespace": "shop", "phase": "Progressing", "metadata": {}}
    shown = base64.b64encode(f"flagger:{gate.credential}".encode()).decode()
    return client.post(gate.url(hook), {"authorization": f"Basic {shown}"}, json.dumps(body).encode())


async def measure(served: Served, web: str, rate: float, seconds: float) -> None:
    """Set up the shop and print what is measured."""
    at = web.removeprefix("http://").partition(":")
    client, server, token = Client(at[0], int(at[2])), served.pid, served.target.token
    grpc = f"{served.target.host}:{served.target.port}"
    async with aio.insecure_channel(grpc) as channel, httpx.AsyncClient(base_url=web) as http:
        admin = Caller(cast(Any, SimpleNamespace(channel=channel)), token)
        await opened(admin)
        await released(admin, "1.0.0")
        gates = [
            await registered(admin, http, hooks=[*CONFIRMING, "rollback"], object_name=f"checkout-{number}")
            for number in range(GATES)
        ]

        def asking(hook: str) -> Call:
            questions = [_question(client, gate, hook) for gate in gates]

            async def call(number: int) -> tuple[int, bytes]:
                return await client.ask(questions[number % GATES])

            return call

        body = json.dumps({"release": RELEASE}).encode()
        question = client.post(EVALUATE, {"authorization": f"Bearer {token}"}, body)

        async def evaluate(_: int) -> tuple[int, bytes]:
            return await client.ask(question)

        status, answer = await client.ask(_question(client, gates[0], "confirm-rollout"))
        assert status == 200, answer
        await round_of(f"Evaluate at {rate:.0f}/s, alone", server, (evaluate, rate), seconds=seconds)
        for hook, words in (("rollback", "refused"), ("confirm-rollout", "opened")):
            gate = (asking(hook), rate)
            await round_of(f"{words} at {rate:.0f}/s, alone", server, gate, seconds=seconds)
            name = f"{words} at {rate:.0f}/s, beside Evaluate at {rate / 2:.0f}/s"
            await round_of(name, server, gate, (evaluate, rate / 2), seconds=seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        spawn = multiprocessing.get_context("spawn")
        ready = spawn.Event()
        cluster = spawn.Process(target=_cluster, args=(str(folder), ready), daemon=True)
        cluster.start()
        ready.wait(30)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        more: dict[str, Any] = {
            "PASSPORT_SERVER_CLUSTERS_FOLDER": str(folder / "clusters"),
            "PASSPORT_SERVER_HTTP_LISTEN": f"127.0.0.1:{port}",
        }
        served = cleanup.enter_context(passport(folder, sqlite_url(folder), **more))
        asyncio.run(measure(served, f"http://127.0.0.1:{port}", given.rate, given.seconds))
        cluster.kill()


if __name__ == "__main__":
    main()
