"""The whole server, wired as it is served: every RPC answers, and who may not is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import aio

from release_passport.v1 import access_service_pb2, decision_service_pb2, tenant_service_pb2
from release_passport_server.transport.grpc.methods import Method, all_methods
from support.calls import first_of
from support.server import RealServer, bearer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(tmp_path_factory.mktemp("server")) as running:
        yield running


async def asked(server: RealServer, method: Method, metadata: tuple[tuple[str, str], ...]) -> grpc.StatusCode:
    """Return the status of an empty request."""
    try:
        if method.server_streaming:
            answers: Any = server.channel.unary_stream(method.path)
            await first_of(answers(b"", metadata=metadata))
        elif method.client_streaming:
            stream: Any = server.channel.stream_unary(method.path)
            await stream(iter([b""]), metadata=metadata)
        else:
            unary: Any = server.channel.unary_unary(method.path)
            await unary(b"", metadata=metadata)
    except aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
async def test_every_method_takes_an_empty_request_without_an_internal_error(
    server: RealServer, method: Method
) -> None:
    code = await asked(server, method, bearer(server.token))
    assert code in {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    }


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
async def test_every_method_refuses_who_shows_no_token(server: RealServer, method: Method) -> None:
    assert await asked(server, method, ()) is grpc.StatusCode.UNAUTHENTICATED


async def test_the_first_admin_is_admin_of_the_first_tenant(server: RealServer) -> None:
    me = await server.stub("AccessService").WhoAmI(
        access_service_pb2.WhoAmIRequest(), metadata=bearer(server.token)
    )
    assert (me.principal, me.tenant, list(me.notices)) == ("user:admin", "default", [])
    assert "admin" in me.roles


async def test_the_first_admin_may_make_tenants(server: RealServer) -> None:
    tenants = server.stub("TenantService")
    listed = await tenants.ListTenants(tenant_service_pb2.ListTenantsRequest(), metadata=bearer(server.token))
    assert [tenant.name for tenant in listed.tenants] == ["tenants/default"]


async def test_nothing_of_another_tenant_is_found(server: RealServer) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await server.stub("DecisionService").ListDecisions(
            decision_service_pb2.ListDecisionsRequest(tenant="other"), metadata=bearer(server.token)
        )
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
