"""ConnectorService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import connector_pb2
from release_passport.v1 import connector_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.connectors import Connectors, ShownConnector
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import connectors as wire
from release_passport_server.wire.evidence import evidence_to_proto
from release_passport_server.wire.paging import next_token, page_from_request
from release_passport_server.wire.times import timestamp


@dataclass(frozen=True, slots=True)
class ConnectorHandlers:
    """Keeps the connectors that read evidence by themselves."""

    connectors: Connectors

    async def CreateConnector(
        self, principal: Principal, request: pb.CreateConnectorRequest
    ) -> pb.CreateConnectorResponse:
        """Make a connector."""
        wanted = wire.connector_to_make(principal, request)
        written = await self.connectors.create(ask_of(principal, "CreateConnector", request), wanted)
        shown = _shown(principal, written.value)
        return pb.CreateConnectorResponse(connector=shown, revision=written.revision)

    async def GetConnector(
        self, principal: Principal, request: pb.GetConnectorRequest
    ) -> pb.GetConnectorResponse:
        """Return a connector."""
        found = await self.connectors.get(principal, wire.connector_name(principal, request.name))
        return pb.GetConnectorResponse(connector=_shown(principal, found))

    async def ListConnectors(
        self, principal: Principal, request: pb.ListConnectorsRequest
    ) -> pb.ListConnectorsResponse:
        """List connectors, newest first."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListConnectors", request)
        listed = await self.connectors.list(principal, page)
        return pb.ListConnectorsResponse(
            connectors=[_shown(principal, one) for one in listed.items],
            next_page_token=next_token(principal, "ListConnectors", request, listed.next_after),
        )

    async def UpdateConnector(
        self, principal: Principal, request: pb.UpdateConnectorRequest
    ) -> pb.UpdateConnectorResponse:
        """Replace a connector's settings."""
        name, wanted = wire.connector_to_change(principal, request)
        ask = ask_of(principal, "UpdateConnector", request)
        written = await self.connectors.update(ask, name, wanted, request.connector.etag)
        shown = _shown(principal, written.value)
        return pb.UpdateConnectorResponse(connector=shown, revision=written.revision)

    async def DeleteConnector(
        self, principal: Principal, request: pb.DeleteConnectorRequest
    ) -> pb.DeleteConnectorResponse:
        """Delete a connector."""
        name = wire.connector_name(principal, request.name)
        written = await self.connectors.delete(ask_of(principal, "DeleteConnector", request), name)
        shown = _shown(principal, written.value)
        return pb.DeleteConnectorResponse(connector=shown, revision=written.revision)

    async def TestConnector(
        self, principal: Principal, request: pb.TestConnectorRequest
    ) -> pb.TestConnectorResponse:
        """Say what a connector can see and what it is missing."""
        tried = await self.connectors.try_out(principal, wire.connector_to_try(principal, request))
        return pb.TestConnectorResponse(
            ready=tried.ready,
            visible=tried.probe.visible,
            missing=tried.probe.missing,
            grant=tried.probe.grant,
            failure=tried.failure,
            message=tried.message,
            excess=tried.probe.excess,
        )

    async def CollectNow(self, principal: Principal, request: pb.CollectNowRequest) -> pb.CollectNowResponse:
        """Read now."""
        name = wire.connector_name(principal, request.name)
        reading = await self.connectors.collect_now(principal, name)
        return pb.CollectNowResponse(
            connector=wire.connector_to_proto(principal.tenant, reading.connector, reading.health),
            evidence=[evidence_to_proto(one) for one in reading.items],
            revision=reading.revision,
        )

    async def WakeConnector(
        self, principal: Principal, request: pb.WakeConnectorRequest
    ) -> pb.WakeConnectorResponse:
        """Have it read soon."""
        due = await self.connectors.wake(principal, wire.connector_name(principal, request.name))
        return pb.WakeConnectorResponse(due_time=None if due is None else timestamp(due))


def _shown(principal: Principal, shown: ShownConnector) -> connector_pb2.Connector:
    return wire.connector_to_proto(principal.tenant, shown.connector, shown.health)
