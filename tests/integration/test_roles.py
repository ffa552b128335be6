"""`serve --roles`: processes that do one part of the work each, on one database, and say so to whoever asks another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from release_passport.v1 import access_service_pb2, audit_service_pb2, verdict_pb2
from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server import bootstrap
from release_passport_server.transport.roles import Role
from support.calls import Caller, Refused
from support.gates import GateCaller, Objects, image, registered
from support.replica import Replica
from support.server import free_ports, real_server, serving
from support.server_process import passport_server, served
from support.shop import decided, opened, released, scanned
from support.watched import live

pytestmark = pytest.mark.asyncio(loop_scope="module")
BAD = ("CVE-2026-1", "critical", "")
WHO_AM_I, STREAM = access_service_pb2.WhoAmIRequest(), audit_service_pb2.StreamAuditEntriesRequest()
NOBODYS = "postgresql://nobody@127.0.0.1:1/nothing"


@dataclass
class Place:
    """One database, what its servers are given, and a process for each role but the worker's."""

    folder: Path
    url: str
    token: str
    variables: Mapping[str, str]
    api: Replica
    watch: Replica

    def jobs(self) -> dict[str, int]:
        """Return the kinds of the jobs that are there, and how often they were begun."""
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute("SELECT kind, max(attempts) FROM jobs GROUP BY kind").fetchall())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("roles")
    url = postgres_url.replace("+psycopg", "")
    variables = {"PASSPORT_SERVER_STORE_URL": url}
    token = passport_server(folder, "init", **variables).stdout.strip()
    with ExitStack() as stack:
        api, watch = (
            Replica(stack.enter_context(served(folder, "--roles", role, **variables)), token)
            for role in ("api", "watch")
        )
        await opened(api.caller)
        yield Place(folder, url, token, variables, api, watch)
        await api.channel.close()
        await watch.channel.close()


@pytest.mark.postgres
async def test_evidence_at_one_process_turns_the_stream_of_another_by_the_work_of_a_third(
    place: Place,
) -> None:
    release = await released(place.api.caller, "1.0.0")
    stream = await live(place.watch.caller)
    await decided(place.api.caller, release)
    [first] = await stream.decisions(1)
    await scanned(place.api.caller, "1.0.0", BAD)
    # Nobody does what is due, and nobody has begun to.
    waiting = place.jobs()
    assert "reevaluate" in waiting
    assert set(waiting.values()) == {0}
    with served(place.folder, "--roles", "worker", **place.variables):
        [turned] = await stream.decisions(1)
    told = [one.decision.decision for one in (first, turned)]
    assert [one.release for one in told] == [release] * 2
    assert told[0].verdict == verdict_pb2.VERDICT_ALLOW != told[1].verdict
    stream.leave()


@pytest.mark.postgres
async def test_calls_of_other_roles_are_sent_elsewhere(place: Place) -> None:
    for replica, name, request in (
        (place.watch, "WhoAmI", WHO_AM_I),
        (place.api, "WatchDecision", pb.WatchDecisionRequest()),
        (place.api, "StreamAuditEntries", STREAM),
    ):
        refused = await replica.caller.refused(name, request)
        assert (refused.code, refused.reason) == ("UNAVAILABLE", "NOT_SERVED_HERE"), name
    assert (await place.api.caller("WhoAmI", WHO_AM_I)).principal == "user:admin"
    assert not isinstance(await place.watch.caller.tried("StreamAuditEntries", STREAM), Refused)


@pytest.mark.postgres
async def test_who_is_sent_elsewhere_hears_when_to_ask_again(place: Place) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await place.watch.caller("WhoAmI", WHO_AM_I)
    trailers: dict[str, Any] = dict(caught.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    retry = error_details_pb2.RetryInfo()
    assert any(packed.Unpack(retry) for packed in status.details if packed.Is(retry.DESCRIPTOR))
    assert 500 <= int(trailers["grpc-retry-pushback-ms"]) <= 1000
    who = f"http://{place.watch.process.where['http']}/release_passport.v1.AccessService/WhoAmI"
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {place.token}"}) as http:
        answer = await http.post(who, json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.postgres
async def test_a_worker_answers_probes_and_metrics_and_no_calls(place: Place) -> None:
    with served(place.folder, "--roles", "worker", **place.variables) as process:
        worker = Replica(process, place.token)
        assert process.where["roles"] == "worker"
        async with httpx.AsyncClient(base_url=f"http://{process.where['http']}") as http:
            assert (await http.get("/readyz")).text == "ready: worker\n"
            assert "rp_jobs_due" in (await http.get("/metrics")).text
        for name, request in (("WhoAmI", WHO_AM_I), ("WatchDecision", pb.WatchDecisionRequest())):
            assert (await worker.caller.refused(name, request)).reason == "NOT_SERVED_HERE"
        assert await _healthy(worker) == ["", "worker"]
        await worker.channel.close()


@pytest.mark.postgres
async def test_health_says_what_is_served_here(place: Place) -> None:
    assert await _healthy(place.watch) == ["", "AuditService", "DecisionService", "watch"]
    assert await _healthy(place.api) == ["", "AccessService", "AuditService", "DecisionService", "api"]


async def test_a_gate_is_shut_where_nobody_decides(tmp_path: Path) -> None:
    objects = Objects()
    async with real_server(tmp_path, objects=objects) as running:
        admin = await opened(Caller(running, running.token))
        await released(admin, "1.0.0")
        settings = free_ports(signing={"key_folder": str(tmp_path / "keys")})
        watching = frozenset({Role.WATCH})
        application = await bootstrap.build(running.store, settings, clusters=objects, roles=watching)
        assert not application.workers
        async with serving(application, settings) as process:
            answers = []
            for one in (process, running.process):
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{one.http_port}") as http:
                    answers.append(await _confirmed(await registered(admin, http), objects))
    assert [answer.status_code for answer in answers] == [403, 200]
    assert "NOT_SERVED_HERE" in answers[0].text


@pytest.mark.parametrize(
    ("roles", "variables", "told"),
    [
        ("console --processes 2", {"STORE_URL": NOBODYS}, "no console"),
        ("api,wacth", {"STORE_URL": NOBODYS}, "'wacth'; name some of api, watch, worker"),
        ("", {"STORE_URL": NOBODYS}, "no role ''"),
        ("api,", {"STORE_URL": NOBODYS}, "no role ''"),
        ("api,worker", {"STORE_URL": NOBODYS, "WORKER_ENABLED": "false"}, "worker.enabled"),
        ("api,watch", {}, "use PostgreSQL"),
    ],
)
async def test_what_cannot_be_served_is_refused_at_the_start(
    tmp_path: Path, roles: str, variables: dict[str, str], told: str
) -> None:
    given = {f"PASSPORT_SERVER_{name}": value for name, value in variables.items()}
    refused = passport_server(tmp_path, "serve", "--roles", *roles.split(" "), **given)
    assert (refused.returncode, "--roles: " in refused.stderr, told in refused.stderr) == (2, True, True)


async def _confirmed(gate: GateCaller, objects: Objects) -> httpx.Response:
    objects.deployment(image("1.0.0"))
    objects.canary("Progressing", webhooks=gate.webhooks("confirm-rollout"))
    return await gate.flagger("confirm-rollout")


async def _healthy(replica: Replica) -> list[str]:
    """Return what health calls SERVING, of everything, the roles and some of the services."""
    stub: Any = health_pb2_grpc.HealthStub(replica.channel)
    found = []
    for name in ("", "AccessService", "AuditService", "DecisionService", *Role):
        service = f"release_passport.v1.{name}" if name.endswith("Service") else str(name)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            found.append(str(name))
    return found
