"""The commands about connectors, each with the RPC that it is for and an answer of it."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.message import Message

from release_passport.v1 import connector_pb2
from release_passport.v1 import connector_service_pb2 as pb

A_CONNECTOR = connector_pb2.Connector(
    name="tenants/acme/connectors/01H",
    title="The metrics",
    kind="prometheus",
    service="checkout",
    environment="prod",
    endpoint="https://prometheus.example.com",
    etag="e",
    source="connector:01H",
    health=connector_pb2.ConnectorHealth(
        state="CONNECTOR_STATE_FAILING", failure="CREDENTIAL_REFUSED", message="renew it", failures=2
    ),
)
FILE = str(Path(__file__).with_name("connector.yaml"))

CONNECTORS: list[tuple[tuple[str, ...], str, Message, str]] = [
    (
        ("connector", "add", FILE),
        "CreateConnector",
        pb.CreateConnectorResponse(connector=A_CONNECTOR),
        "prometheus.example.com",
    ),
    (
        ("connector", "list"),
        "ListConnectors",
        pb.ListConnectorsResponse(connectors=[A_CONNECTOR]),
        "The metrics",
    ),
    (
        ("connector", "get", "01H"),
        "GetConnector",
        pb.GetConnectorResponse(connector=A_CONNECTOR),
        "CREDENTIAL_REFUSED",
    ),
    (
        ("connector", "delete", "01H"),
        "DeleteConnector",
        pb.DeleteConnectorResponse(connector=A_CONNECTOR),
        "01H",
    ),
    (
        ("connector", "test", FILE),
        "TestConnector",
        pb.TestConnectorResponse(ready=True, visible=["error-rate has a value"], grant="GET /api/v1/query"),
        "GET /api/v1/query",
    ),
    (
        ("connector", "test", FILE),
        "TestConnector",
        pb.TestConnectorResponse(ready=True, excess=["take away patch on rollouts/checkout"]),
        "take away patch on rollouts/checkout",
    ),
    (
        ("connector", "collect", "01H"),
        "CollectNow",
        pb.CollectNowResponse(
            connector=connector_pb2.Connector(
                name=A_CONNECTOR.name, kind="prometheus", source="connector:01H"
            )
        ),
        "connector:01H",
    ),
]
