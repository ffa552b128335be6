"""The calls about connectors."""

from __future__ import annotations

from release_passport.connection import Connection
from release_passport.v1 import connector_service_pb2 as pb


class ConnectorCalls(Connection):
    """What the client does about connectors."""

    def create_connector(
        self, request: pb.CreateConnectorRequest, *, timeout: float | None = None
    ) -> pb.CreateConnectorResponse:
        """Make a connector, which reads at once."""
        return self.call("ConnectorService/CreateConnector", request, pb.CreateConnectorResponse, timeout)

    def get_connector(
        self, request: pb.GetConnectorRequest, *, timeout: float | None = None
    ) -> pb.GetConnectorResponse:
        """Return a connector and how it is."""
        return self.call("ConnectorService/GetConnector", request, pb.GetConnectorResponse, timeout)

    def list_connectors(
        self, request: pb.ListConnectorsRequest, *, timeout: float | None = None
    ) -> pb.ListConnectorsResponse:
        """Return a page of connectors, newest first."""
        return self.call("ConnectorService/ListConnectors", request, pb.ListConnectorsResponse, timeout)

    def update_connector(
        self, request: pb.UpdateConnectorRequest, *, timeout: float | None = None
    ) -> pb.UpdateConnectorResponse:
        """Replace a connector's settings; what it is for stays."""
        return self.call("ConnectorService/UpdateConnector", request, pb.UpdateConnectorResponse, timeout)

    def delete_connector(
        self, request: pb.DeleteConnectorRequest, *, timeout: float | None = None
    ) -> pb.DeleteConnectorResponse:
        """Delete a connector: it reads nothing any more."""
        return self.call("ConnectorService/DeleteConnector", request, pb.DeleteConnectorResponse, timeout)

    def test_connector(
        self, request: pb.TestConnectorRequest, *, timeout: float | None = None
    ) -> pb.TestConnectorResponse:
        """Say what a connector can see and what it is missing."""
        return self.call("ConnectorService/TestConnector", request, pb.TestConnectorResponse, timeout)

    def collect_now(
        self, request: pb.CollectNowRequest, *, timeout: float | None = None
    ) -> pb.CollectNowResponse:
        """Have a connector read now; what failed is said in its health."""
        return self.call("ConnectorService/CollectNow", request, pb.CollectNowResponse, timeout)

    def wake_connector(
        self, request: pb.WakeConnectorRequest, *, timeout: float | None = None
    ) -> pb.WakeConnectorResponse:
        """Have a connector read soon, without waiting for it."""
        return self.call("ConnectorService/WakeConnector", request, pb.WakeConnectorResponse, timeout)
