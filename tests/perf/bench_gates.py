"""How fast controllers are answered at their gates, beside Evaluate: `python tests/perf/bench_gates.py`.

A server in its own process, a stand-in for the Kubernetes API in a second one, and this process as the controllers.
Calls go out evenly whatever comes back, and latency counts from when each was due. `--rate 200 --seconds 15` are usual.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from grpc import aio

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS.parent / "deploy" / "demo")]

from perf.servers import passport, sqlite_url  # noqa: E402
from support.calls import Caller  # noqa: E402
from support.gates import CONFIRMING, GateCaller, image, registered  # noqa: E402
from support.shop import opened, released  # noqa: E402

GATES = 50
RELEASE = "tenants/default/services/checkout/environments/prod/releases/1.0.0"
EVALUATE = "/release_passport.v1.DecisionService/Evaluate"
Call = Callable[[int], Awaitable[httpx.Response]]


def _cluster(folder: str, ready: Any) -> None:
    """Serve a Canary and its Deployment until the end."""
    from cluster import Cluster

    held = Cluster()
    held.settings(Path(folder))
    containers = [{"name": "app", "image": image("1.0.0")}]
    path = "/apis/apps/v1/namespaces/shop/deployments/checkout"
    held.put(path, "Deployment", {"template": {"spec": {"containers": containers}}})
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    analysis = {"stepWeight": 10, "maxWeight": 50, "webhooks": []}
    path = "/apis/flagger.app/v1beta1/namespaces/shop/canaries/checkout"
    status: dict[str, object] = {"phase": "Progressing", "canaryWeight": 10}
    held.put(path, "Canary", {"targetRef": target, "analysis": analysis}, status)
    ready.set()
    time.sleep(3600)


async def paced(call: Call, rate: float, seconds: float) -> list[tuple[int, float]]:
    """Send so many calls a second; return status and latency of each."""
    loop = asyncio.get_running_loop()
    began, found = loop.time() + 0.1, []

    async def one(number: int) -> None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        answer = await call(number)
        found.append((answer.status_code, loop.time() - due))

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return found


def told(name: str, found: list[tuple[int, float]]) -> str:
    """Return one line about what came back."""
    times = sorted(seconds * 1000 for _, seconds in found)
    shares = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.99)]
    statuses = sorted({status for status, _ in found})
    return f"{name:<34} {len(found):>6} calls  p50 {shares[0]:6.1f} ms  p99 {shares[1]:6.1f} ms  status {statuses}"


async def measure(grpc: str, web: str, token: str, rate: float, seconds: float) -> None:
    """Set up the shop and print what is measured."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with aio.insecure_channel(grpc) as channel, httpx.AsyncClient(base_url=web, limits=limits) as http:
        admin = Caller(cast(Any, SimpleNamespace(channel=channel)), token)
        await opened(admin)
        await released(admin, "1.0.0")
        gates = [await registered(admin, http, hooks=[*CONFIRMING, "rollback"]) for _ in range(GATES)]
        answer = await gates[0].flagger("confirm-rollout")
        assert answer.status_code == 200, answer.text

        def asking(hook: str) -> Call:
            async def call(number: int) -> httpx.Response:
                gate: GateCaller = gates[number % GATES]
                return await gate.flagger(hook)

            return call

        async def evaluate(_: int) -> httpx.Response:
            headers = {"authorization": f"Bearer {token}"}
            return await http.post(EVALUATE, json={"release": RELEASE}, headers=headers)

        print(told(f"Evaluate at {rate:.0f}/s, alone", await paced(evaluate, rate, seconds)), flush=True)
        for hook, words in (("rollback", "refused"), ("confirm-rollout", "opened")):
            alone = await paced(asking(hook), rate, seconds)
            print(told(f"{words} at {rate:.0f}/s, alone", alone), flush=True)
            both = await asyncio.gather(
                paced(asking(hook), rate, seconds), paced(evaluate, rate / 2, seconds)
            )
            print(told(f"{words} at {rate:.0f}/s, beside Evaluate", both[0]), flush=True)
            print(told(f"  Evaluate at {rate / 2:.0f}/s", both[1]), flush=True)


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
        at = f"{served.target.host}:{served.target.port}"
        asyncio.run(measure(at, f"http://127.0.0.1:{port}", served.target.token, given.rate, given.seconds))
        cluster.kill()


if __name__ == "__main__":
    main()
