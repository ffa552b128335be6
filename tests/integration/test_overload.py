"""More calls than the server takes: what is refused says so, everything else goes on, and it comes back by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from release_passport.v1 import (
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    decision_service_pb2_grpc,
    evidence_service_pb2,
    evidence_service_pb2_grpc,
)
from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server.domain.access import Principal
from support.server import GOOD, application, bearer, channel, free_ports, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVALUATE = "/release_passport.v1.DecisionService/Evaluate"
PLACES = 4
# One credential never has all of the places.
TAKEN = 3
BURST = 200


class Handlers:
    """Holds every decision until told to go on; answers everything else."""

    def __init__(self) -> None:
        self.begun = 0
        self.authenticated = 0
        self.full = asyncio.Event()
        self.go_on = asyncio.Event()

    async def Evaluate(self, principal: Principal, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        self.begun += 1
        if self.begun == TAKEN:
            self.full.set()
        await self.go_on.wait()
        return pb.EvaluateResponse(revision=7)

    async def ListServices(
        self, principal: Principal, request: catalog_service_pb2.ListServicesRequest
    ) -> catalog_service_pb2.ListServicesResponse:
        return catalog_service_pb2.ListServicesResponse()

    async def StreamEvidence(
        self, principal: Principal, requests: AsyncIterator[evidence_service_pb2.StreamEvidenceRequest]
    ) -> evidence_service_pb2.StreamEvidenceResponse:
        return evidence_service_pb2.StreamEvidenceResponse(
            accepted_count=len([one async for one in requests])
        )


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[SimpleNamespace]:
    """Serve with few places for decisions, and as few for streams."""
    handlers = Handlers()
    names = ("DecisionService", "EvidenceService", "CatalogService")
    served = application({f"release_passport.v1.{name}": handlers for name in names})
    few = free_ports(limits={"decide": PLACES, "stream": PLACES})
    async with serving(served, few) as process, channel(process) as to_server:
        yield SimpleNamespace(
            handlers=handlers,
            channel=to_server,
            grpc_port=process.grpc_port,
            http=f"http://127.0.0.1:{process.http_port}",
            decisions=decision_service_pb2_grpc.DecisionServiceStub(to_server),
            evidence=evidence_service_pb2_grpc.EvidenceServiceStub(to_server),
            catalog=catalog_service_pb2_grpc.CatalogServiceStub(to_server),
            health=health_pb2_grpc.HealthStub(to_server),
        )
        handlers.go_on.set()


def ask(server: SimpleNamespace, count: int) -> list[asyncio.Future[Any]]:
    """Ask so many questions at once."""

    async def one() -> Any:
        return await server.decisions.Evaluate(pb.EvaluateRequest(), metadata=bearer())

    return [asyncio.ensure_future(one()) for _ in range(count)]


async def taken(server: SimpleNamespace) -> list[asyncio.Future[Any]]:
    """Take all places that one credential may have."""
    calls = ask(server, TAKEN)
    await server.handlers.full.wait()
    return calls


def details(error: aio.AioRpcError) -> dict[str, Any]:
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    kinds = {
        kind.DESCRIPTOR.full_name: kind
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo, error_details_pb2.RequestInfo)
    }
    found: dict[str, Any] = {}
    for packed in status.details:
        made: Any = kinds[packed.TypeName()]()
        packed.Unpack(made)
        found[type(made).__name__] = made
    return found


async def test_a_burst_is_refused_but_for_what_there_are_places_for(server: SimpleNamespace) -> None:
    calls = await taken(server)
    burst = await asyncio.gather(*ask(server, BURST), return_exceptions=True)
    assert Counter(type(one) for one in burst) == {aio.AioRpcError: BURST}
    for error in burst:
        assert isinstance(error, aio.AioRpcError)
        found, trailers = details(error), dict(error.trailing_metadata() or ())
        assert (error.code(), found["ErrorInfo"].reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
        assert found["ErrorInfo"].metadata["class"] == "decide"
        delay = found["RetryInfo"].retry_delay.ToMilliseconds()
        assert delay >= 500
        assert int(trailers["grpc-retry-pushback-ms"]) == delay
        assert found["RequestInfo"].request_id == trailers["x-request-id"]
    assert server.handlers.begun == TAKEN
    server.handlers.go_on.set()
    assert [answer.revision for answer in await asyncio.gather(*calls)] == [7] * TAKEN


async def test_the_server_comes_back_by_itself(server: SimpleNamespace) -> None:
    calls = await taken(server)
    await asyncio.gather(*ask(server, BURST), return_exceptions=True)
    server.handlers.go_on.set()
    await asyncio.gather(*calls)
    for _ in range(3):
        assert [answer.revision for answer in await asyncio.gather(*ask(server, TAKEN))] == [7] * TAKEN
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{server.http}/metrics")).text
    assert f'rp_shed_total{{class="decide"}} {float(BURST)}' in metrics
    assert 'rp_in_flight{class="decide"} 0.0' in metrics


async def test_health_streams_and_other_classes_answer_meanwhile(server: SimpleNamespace) -> None:
    calls = await taken(server)
    burst = ask(server, BURST)
    health = await server.health.Check(health_pb2.HealthCheckRequest())
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    await server.catalog.ListServices(catalog_service_pb2.ListServicesRequest(), metadata=bearer())
    requests = [evidence_service_pb2.StreamEvidenceRequest()] * 3
    assert (await server.evidence.StreamEvidence(iter(requests), metadata=bearer())).accepted_count == 3
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{server.http}/readyz")).status_code == 200
    await asyncio.gather(*burst, return_exceptions=True)
    server.handlers.go_on.set()
    await asyncio.gather(*calls)


async def test_open_streams_take_no_place_of_calls_and_have_a_limit_of_their_own(
    server: SimpleNamespace,
) -> None:
    server.handlers.go_on.set()
    streams = [server.evidence.StreamEvidence(metadata=bearer()) for _ in range(TAKEN)]
    for stream in streams:
        await stream.write(evidence_service_pb2.StreamEvidenceRequest())
    more = server.evidence.StreamEvidence(metadata=bearer())
    with pytest.raises(aio.AioRpcError) as caught:
        await more
    assert details(caught.value)["ErrorInfo"].metadata["class"] == "stream"
    assert [answer.revision for answer in await asyncio.gather(*ask(server, TAKEN))] == [7] * TAKEN
    for stream in streams:
        await stream.done_writing()
        assert (await stream).accepted_count == 1


async def test_a_refusal_costs_neither_the_request_nor_the_credential(server: SimpleNamespace) -> None:
    calls = await taken(server)
    # The places of this one are full, and neither its bytes nor its rest are looked at.
    to_server: Any = server.channel.unary_unary(EVALUATE)
    with pytest.raises(aio.AioRpcError) as caught:
        await to_server(b"\xff\xff\xff", metadata=bearer())
    assert details(caught.value)["ErrorInfo"].reason == "OVERLOADED"
    fourth = ask(server, 1)
    with pytest.raises(aio.AioRpcError):
        await fourth[0]
    server.handlers.go_on.set()
    await asyncio.gather(*calls)


async def test_json_calls_are_refused_alike(server: SimpleNamespace) -> None:
    calls = await taken(server)
    headers = {"content-type": "application/json", "authorization": f"Bearer {GOOD}"}
    async with httpx.AsyncClient(base_url=server.http) as client:
        answer = await client.post(EVALUATE, content="not even JSON", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        server.handlers.go_on.set()
        await asyncio.gather(*calls)
        assert (await client.post(EVALUATE, content="{}", headers=headers)).status_code == 200


async def test_grpcs_own_retries_wait_as_they_are_told(server: SimpleNamespace) -> None:
    calls = await taken(server)
    policy = (
        '{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.001s",'
        ' "maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}'
    )
    options = (("grpc.service_config", policy),)
    async with aio.insecure_channel(f"127.0.0.1:{server.grpc_port}", options=options) as retrying:
        stub = decision_service_pb2_grpc.DecisionServiceStub(retrying)
        answer = asyncio.ensure_future(stub.Evaluate(pb.EvaluateRequest(), metadata=bearer()))
        async with httpx.AsyncClient() as client:
            while 'rp_shed_total{class="decide"} 0.0' in (await client.get(f"{server.http}/metrics")).text:
                pass
        # By its own back-off of a millisecond it would have given up long before there is room.
        server.handlers.go_on.set()
        await asyncio.gather(*calls)
        assert (await answer).revision == 7
