"""Connectors between messages and the domain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.protobuf.json_format import MessageToDict

from release_passport.v1 import connector_pb2, connector_service_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.connector import (
    MAX_INTERVAL,
    MIN_INTERVAL,
    USUAL_INTERVAL,
    Connector,
    ConnectorHealth,
    ConnectorName,
    WantedConnector,
)
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.etags import connector_etag
from release_passport_server.domain.ids import SLUG_RULE, is_slug
from release_passport_server.wire.fields import (
    MAX_TITLE,
    etag_violations,
    every_violation,
    refuse,
    slug_violations,
    text_violations,
)
from release_passport_server.wire.struct_limits import check_struct
from release_passport_server.wire.times import timestamp

MAX_URL = 2000
MAX_SETTINGS = 32 * 1024
_URL = re.compile(r"https?://[\x21-\x7e]+")


def connector_name(principal: Principal, name: str, *, field: str = "name") -> ConnectorName:
    """Return a connector's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = ConnectorName.parse(name, field=field)
    same_tenant(principal, parsed.tenant)
    return parsed


def connector_to_make(
    principal: Principal, request: connector_service_pb2.CreateConnectorRequest
) -> WantedConnector:
    """Return the connector that is wanted; raise Invalid or NotFound."""
    same_tenant(principal, request.tenant)
    refuse(list(_violations(request.connector)))
    return _wanted(request.connector)


def connector_to_change(
    principal: Principal, request: connector_service_pb2.UpdateConnectorRequest
) -> tuple[ConnectorName, WantedConnector]:
    """Return which connector is to become what; raise Invalid or NotFound."""

    def named() -> ConnectorName:
        return ConnectorName.parse(request.connector.name, field="connector.name")

    def rest() -> None:
        given = request.connector
        refuse([*_violations(given), *etag_violations(given.etag, "connector.etag")])

    with every_violation(named, rest):
        name = named()
        rest()
    same_tenant(principal, name.tenant)
    return name, _wanted(request.connector)


def connector_to_try(
    principal: Principal, request: connector_service_pb2.TestConnectorRequest
) -> ConnectorName | WantedConnector:
    """Return what is to be tried; raise Invalid or NotFound."""
    same_tenant(principal, request.tenant)
    match request.WhichOneof("what"):
        case "name":
            return connector_name(principal, request.name)
        case "connector":
            refuse(list(_violations(request.connector)))
            return _wanted(request.connector)
        case _:
            refuse([Violation("what", "required: a connector's name, or a connector that is to be made")])
            raise AssertionError


def connector_to_proto(tenant: str, connector: Connector, health: ConnectorHealth) -> connector_pb2.Connector:
    """Return the resource that shows a connector; nothing of its credential but the name."""
    message = connector_pb2.Connector(
        name=str(ConnectorName(tenant, connector.connector_id)),
        title=connector.title,
        kind=connector.kind,
        service=connector.service,
        environment=connector.environment,
        endpoint=connector.endpoint,
        credential=connector.credential,
        paused=connector.paused,
        creator=connector.creator,
        create_time=timestamp(connector.create_time),
        update_time=timestamp(connector.update_time),
        delete_time=None if connector.delete_time is None else timestamp(connector.delete_time),
        etag=connector_etag(connector),
        source=connector.source,
        health=_health(health),
    )
    message.interval.seconds = connector.interval_seconds
    message.settings.update(connector.settings)
    return message


def _health(health: ConnectorHealth) -> connector_pb2.ConnectorHealth:
    times = {
        name: timestamp(time)
        for name in ("attempt_time", "success_time", "change_time", "rest_until")
        if (time := getattr(health, name)) is not None
    }
    return connector_pb2.ConnectorHealth(
        state=f"CONNECTOR_STATE_{health.state}",
        failure=health.failure,
        message=health.message,
        problems=health.problems,
        failures=health.failures,
        **times,
    )


def _wanted(connector: connector_pb2.Connector) -> WantedConnector:
    given = connector.HasField("interval")
    seconds = connector.interval.seconds if given else int(USUAL_INTERVAL.total_seconds())
    return WantedConnector(
        title=connector.title,
        kind=connector.kind,
        service=connector.service,
        environment=connector.environment,
        endpoint=connector.endpoint,
        credential=connector.credential,
        interval_seconds=seconds,
        settings=MessageToDict(connector.settings),
        paused=connector.paused,
    )


def _violations(connector: connector_pb2.Connector) -> Iterator[Violation]:
    yield from text_violations(connector.title, "connector.title", most=MAX_TITLE)
    for field in ("kind", "service", "environment"):
        yield from slug_violations(getattr(connector, field), f"connector.{field}")
    if connector.endpoint and (len(connector.endpoint) > MAX_URL or not _URL.fullmatch(connector.endpoint)):
        text = f"must be a URL of at most {MAX_URL} characters of visible ASCII"
        yield Violation("connector.endpoint", text)
    if connector.credential and not is_slug(connector.credential):
        yield Violation("connector.credential", SLUG_RULE)
    if connector.HasField("interval"):
        interval, least, most = connector.interval, MIN_INTERVAL, MAX_INTERVAL
        if interval.nanos or not least.total_seconds() <= interval.seconds <= most.total_seconds():
            yield Violation("connector.interval", "must be whole seconds, from 5 s to 1 h")
    if connector.settings.ByteSize() > MAX_SETTINGS:
        yield Violation("connector.settings", f"must be {MAX_SETTINGS} bytes at most")
    else:
        yield from check_struct(connector.settings, "connector.settings")
