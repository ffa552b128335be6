"""What connectors cost, and how soon a change is evidence: `python tests/perf/bench_connectors.py --connectors 1000`.

A server in its own process on SQLite, with a stand-in for Prometheus and a faithful fake of the Kubernetes API in this
one. The processor time of the server is read from /proc, at rest and with so many connectors that read every 30 s.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from grpc import aio

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS.parent / "server"), str(_TESTS.parent / "clients" / "python")]

from perf.servers import Served, passport, sqlite_url  # noqa: E402
from release_passport.v1 import connector_pb2, evidence_service_pb2  # noqa: E402
from release_passport.v1 import connector_service_pb2 as pb  # noqa: E402
from support.calls import Caller  # noqa: E402
from support.connecting import Metrics  # noqa: E402
from support.fake_kubernetes import FakeKubernetes, Rule  # noqa: E402
from support.http_peer import peer  # noqa: E402
from support.requests import Names, request_for  # noqa: E402

READ = ("get", "list", "watch")
QUERIES = [{"name": "errors", "query": "error_ratio"}]
SETTLE, SECONDS = 35.0, 60.0


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def used(pid: int, seconds: float) -> float:
    """Return which share of one core a process uses for a while."""
    before, began = processor_seconds(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    return (processor_seconds(pid) - before) / (time.perf_counter() - began)


def connector(kind: str, endpoint: str, seconds: int, settings: dict[str, Any]) -> pb.CreateConnectorRequest:
    """Return the request for a connector."""
    made = connector_pb2.Connector(kind=kind, service="checkout", environment="prod", endpoint=endpoint)
    made.interval.seconds = seconds
    made.settings.update(settings)
    return pb.CreateConnectorRequest(connector=made)


def rollout(ready: int) -> dict[str, Any]:
    """Return a Rollout with so many of its hundred replicas updated."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "checkout", "namespace": "shop", "generation": 1},
        "spec": {"replicas": 100},
        "status": {
            "observedGeneration": "1",
            "phase": "Progressing",
            "currentPodHash": "new",
            "stableRS": "old",
            "replicas": 100,
            "updatedReplicas": ready,
        },
    }


async def reaction(admin: Caller, api: FakeKubernetes, rounds: int) -> list[float]:
    """Return the milliseconds from a change of an object to its evidence."""
    settings = {"cluster": "eu-1", "namespace": "shop", "name": "checkout"}
    made = (await admin("CreateConnector", connector("argo-rollouts", "", 3600, settings))).connector
    wanted = evidence_service_pb2.ListEvidenceRequest(kind="rollout_status", source=made.source, page_size=1)

    async def seen(weight: int) -> None:
        while True:
            found = (await admin("ListEvidence", wanted)).evidence
            if found and found[0].facts.rollout_status.weight == weight:
                return

    await seen(1)
    times = []
    for weight in range(2, rounds + 2):
        await asyncio.sleep(0.5)
        began = time.perf_counter()
        api.status("Rollout", "shop", "checkout", updatedReplicas=weight)
        await seen(weight)
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


async def measure(served: Served, api: FakeKubernetes, source: str, count: int) -> None:
    """Print what is measured."""
    at = f"{served.target.host}:{served.target.port}"
    async with aio.insecure_channel(at) as channel:
        admin = Caller(cast(Any, SimpleNamespace(channel=channel)), served.target.token)
        for name in ("CreateService", "CreateEnvironment"):
            await admin(name, request_for(name, Names()))
        times = await reaction(admin, api, 50)
        print(
            f"a changed object is evidence after     p50 {times[25]:6.1f} ms  worst of 50 {times[-1]:6.1f} ms"
        )
        idle = await used(served.pid, 10)
        for _ in range(count):
            await admin("CreateConnector", connector("prometheus", source, 30, {"queries": QUERIES}))
        await asyncio.sleep(SETTLE)
        busy = await used(served.pid, SECONDS)
        print(f"{count} connectors every 30 s           {busy:6.1%} of a core, without them {idle:.1%}")


async def run(folder: Path, count: int) -> None:
    """Start what is needed and measure."""
    with ExitStack() as cleanup:
        api = cleanup.enter_context(FakeKubernetes())
        api.put(rollout(1))
        rights = Rule(READ, ("rollouts", "replicasets"), (), ("shop",))
        clusters = api.folder(folder, api.account("reader", rights))
        async with peer(Metrics()) as source:
            origin = source.url("").rstrip("/")
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = int(free.getsockname()[1])
            more: dict[str, Any] = {
                "PASSPORT_SERVER_CLUSTERS_FOLDER": str(clusters),
                "PASSPORT_SERVER_CONNECTORS_INTERNAL_ORIGINS": origin,
                "PASSPORT_SERVER_HTTP_LISTEN": f"127.0.0.1:{port}",
            }
            served = cleanup.enter_context(passport(folder, sqlite_url(folder), **more))
            await measure(served, api, origin, count)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connectors", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), given.connectors))


if __name__ == "__main__":
    main()
