"""Health, reflection, TLS, and the orderly end of a server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from release_passport.v1 import decision_service_pb2 as pb
from release_passport.v1 import decision_service_pb2_grpc, evidence_service_pb2, evidence_service_pb2_grpc
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Unavailable
from release_passport_server.process import Process
from release_passport_server.transport.grpc import health
from release_passport_server.transport.grpc.methods import CONTRACT, CallClass, all_methods, service_names
from support.certificates import Certificates
from support.server import application, bearer, channel, free_ports, serving

REFLECTION = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]


class Waiting:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    async def Evaluate(self, principal: Principal, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        self.entered.set()
        await self.release.wait()
        return pb.EvaluateResponse(revision=1)

    async def StreamEvidence(
        self, principal: Principal, requests: AsyncIterator[Any]
    ) -> evidence_service_pb2.StreamEvidenceResponse:
        async for _ in requests:
            self.entered.set()
        return evidence_service_pb2.StreamEvidenceResponse()


def health_of(to_server: aio.Channel) -> Any:
    return health_pb2_grpc.HealthStub(to_server)


def waiting_server(handlers: Waiting, **settings: Any) -> Process:
    served = application(
        {"release_passport.v1.DecisionService": handlers, "release_passport.v1.EvidenceService": handlers}
    )
    return Process(served, free_ports(**settings))


def test_every_service_of_the_contract_is_served() -> None:
    v1 = Path(__file__).parents[2] / "proto" / "release_passport" / "v1"
    files = {f"release_passport/v1/{path.name}" for path in v1.glob("*_service.proto")}
    assert {file.name for file in CONTRACT} == files


def test_only_evaluate_competes_for_the_places_of_decisions() -> None:
    classes = {method.name: method.call_class for method in all_methods()}
    assert [name for name, kind in classes.items() if kind is CallClass.DECIDE] == ["Evaluate"]
    assert [name for name, kind in classes.items() if kind is CallClass.STREAM] == [
        "StreamAuditEntries",
        "StreamEvidence",
    ]
    assert [name for name, kind in classes.items() if kind is CallClass.WATCH] == ["WatchDecision"]
    writes = {"Create", "Update", "Delete", "Revoke", "Submit", "Start", "Finish", "End", "Suspend"}
    writes |= {"Redeem", "Report", "Approve", "Reject", "Resolve", "Put", "Request", "Grant", "Withdraw"}
    writes |= {"Review", "Record", "Collect", "Ban", "Lift", "Propose", "Apply", "Enable", "Replay"}
    writes |= {"Acknowledge", "Adopt", "Close", "Retry", "Discard", "Wake"}
    assert all(name.startswith(tuple(writes)) for name, kind in classes.items() if kind is CallClass.WRITE)


async def test_health_is_open_to_everybody() -> None:
    async with serving(application({})) as process, channel(process) as to_server:
        health = health_of(to_server)
        for name in ("", *service_names()):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_only_so_many_may_watch_health(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MAX_WATCHERS", 1)
    async with serving(application({})) as process, channel(process) as to_server:
        first = health_of(to_server).Watch(health_pb2.HealthCheckRequest())
        assert (await first.read()).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(aio.AioRpcError) as caught:
            await health_of(to_server).Watch(health_pb2.HealthCheckRequest()).read()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        first.cancel()


@pytest.mark.parametrize("service", REFLECTION)
@pytest.mark.parametrize("dev", [False, True])
async def test_reflection_needs_a_credential_but_in_development(service: str, dev: bool) -> None:
    async with (
        serving(application({}, notice="dev" if dev else "")) as process,
        channel(process) as to_server,
    ):
        info = to_server.stream_stream(
            f"/{service}/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        listed = [answer async for answer in info(iter(asked), metadata=bearer())]
        assert {found.name for found in listed[0].list_services_response.service} >= set(service_names())
        if dev:
            assert [answer async for answer in info(iter(asked))] == listed
            return
        with pytest.raises(aio.AioRpcError) as caught:
            _ = [answer async for answer in info(iter(asked))]
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_shutdown_lets_calls_end_and_refuses_new_ones() -> None:
    handlers = Waiting()
    process = waiting_server(handlers)
    await process.start()
    async with channel(process) as to_server, httpx.AsyncClient() as http:
        decisions = decision_service_pb2_grpc.DecisionServiceStub(to_server)
        first = decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer())
        await handlers.entered.wait()
        stopping = asyncio.create_task(process.stop())
        health = health_of(to_server).Watch(health_pb2.HealthCheckRequest())
        async for answer in health:
            if answer.status == health_pb2.HealthCheckResponse.NOT_SERVING:
                break
        ready = await http.get(f"http://127.0.0.1:{process.http_port}/readyz")
        assert (ready.status_code, ready.text) == (503, "not ready: shutting down\n")
        assert (await http.get(f"http://127.0.0.1:{process.http_port}/livez")).status_code == 200
        with pytest.raises(aio.AioRpcError) as caught:
            await decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer())
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in (caught.value.details() or "")
        handlers.release.set()
        assert (await first).revision == 1
        assert await stopping is True


async def test_a_second_signal_cuts_calls_off() -> None:
    process = waiting_server(handlers := Waiting(), shutdown={"grace_seconds": 3600})
    await process.start()
    async with channel(process) as to_server:
        decisions = decision_service_pb2_grpc.DecisionServiceStub(to_server)
        call = decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer())
        await handlers.entered.wait()
        hurry = asyncio.Event()
        stopping = asyncio.create_task(process.stop(hurry))
        hurry.set()
        assert await stopping is False
        with pytest.raises(aio.AioRpcError) as caught:
            await call
        assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


async def test_shutdown_ends_open_streams_with_a_reason() -> None:
    process = waiting_server(handlers := Waiting())
    await process.start()
    async with channel(process) as to_server:
        evidence = evidence_service_pb2_grpc.EvidenceServiceStub(to_server)
        call = evidence.StreamEvidence(metadata=bearer())
        await call.write(evidence_service_pb2.StreamEvidenceRequest())
        await handlers.entered.wait()
        assert await process.stop() is True
        with pytest.raises(aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in (caught.value.details() or "")


async def test_a_store_that_is_not_ready_is_told_without_its_details() -> None:
    async def broken() -> None:
        raise OSError("host=10.1.2.3 password=hunter2")

    async def behind() -> None:
        raise Unavailable(
            "STORE_UNAVAILABLE", "the schema is older than this server: run passport-server migrate"
        )

    for ready, text in (
        (broken, "the store cannot be used; the log says why"),
        (behind, "the schema is older"),
    ):
        async with serving(application({}, ready=ready)) as process, httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{process.http_port}/readyz")
            assert answer.status_code == 503
            assert text in answer.text
            assert "hunter2" not in answer.text


async def test_a_taken_port_is_an_error_not_a_share() -> None:
    async with serving(application({})) as process:
        for section, port in (("grpc", process.grpc_port), ("http", process.http_port)):
            second = Process(application({}), free_ports(**{section: {"listen": f"127.0.0.1:{port}"}}))
            with pytest.raises((OSError, RuntimeError)):
                await second.start()


@pytest.mark.parametrize("mutual", [False, True])
async def test_both_ports_speak_tls(tmp_path: Path, mutual: bool) -> None:
    made = Certificates.make(tmp_path)
    files = {"tls_certificate": made.server_certificate, "tls_key": made.server_key}
    if mutual:
        files["tls_client_ca"] = made.authority
    settings = free_ports(grpc=files, http=files)
    async with serving(application({}), settings) as process:
        pair = (
            (made.client_key.read_bytes(), made.client_certificate.read_bytes()) if mutual else (None, None)
        )
        credentials = grpc.ssl_channel_credentials(made.authority.read_bytes(), *pair)
        async with aio.secure_channel(f"localhost:{process.grpc_port}", credentials) as to_server:
            answer = await health_of(to_server).Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        context = ssl.create_default_context(cafile=str(made.authority))
        if mutual:
            context.load_cert_chain(made.client_certificate, made.client_key)
        async with httpx.AsyncClient(verify=context) as http:
            alive = await http.get(f"https://localhost:{process.http_port}/livez")
            assert alive.headers["strict-transport-security"]


async def test_mutual_tls_refuses_a_caller_without_certificate(tmp_path: Path) -> None:
    made = Certificates.make(tmp_path)
    files = {
        "tls_certificate": made.server_certificate,
        "tls_key": made.server_key,
        "tls_client_ca": made.authority,
    }
    async with serving(application({}), free_ports(grpc=files, http=files)) as process:
        credentials = grpc.ssl_channel_credentials(made.authority.read_bytes())
        async with aio.secure_channel(f"localhost:{process.grpc_port}", credentials) as to_server:
            with pytest.raises(aio.AioRpcError):
                await health_of(to_server).Check(health_pb2.HealthCheckRequest(), timeout=5)
        context = ssl.create_default_context(cafile=str(made.authority))
        async with httpx.AsyncClient(verify=context) as http:
            with pytest.raises(httpx.TransportError):
                await http.get(f"https://localhost:{process.http_port}/livez")
