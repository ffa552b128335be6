"""Connectors, for people."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.names import last_part
from release_passport.cli.render.text import Document, table
from release_passport.cli.render.view import time_words
from release_passport.v1 import connector_pb2
from release_passport.v1 import connector_service_pb2 as pb


def listed(items: Sequence[connector_pb2.Connector]) -> Document:
    """Return connectors as a table."""
    rows = [
        (
            last_part(item.name),
            item.title,
            item.kind,
            f"{item.service} in {item.environment}",
            item.endpoint,
            _state(item),
            time_words(item.health.success_time) if item.health.HasField("success_time") else "never",
        )
        for item in items
    ]
    headers = ("id", "title", "kind", "about", "endpoint", "state", "read")
    return table(headers, rows, empty="no connectors")


def one(item: connector_pb2.Connector) -> Document:
    """Return a connector with what is wrong with it."""
    document = listed([item])
    document.add()
    document.add(f"its evidence stands under the source {item.source}")
    if item.health.failure:
        document.add(f"{item.health.failure}: {item.health.message}")
        document.add(f"failed {item.health.failures} times in a row")
    if item.health.HasField("rest_until"):
        document.add(f"its source is left alone until {time_words(item.health.rest_until)}")
    for problem in item.health.problems:
        document.add(f"cannot be seen: {problem}")
    return document


def tried(said: pb.TestConnectorResponse) -> Document:
    """Return what a connector can see."""
    document = Document()
    document.add("ready" if said.ready else "not ready")
    if said.failure:
        document.add(f"{said.failure}: {said.message}")
    for text in said.visible:
        document.add(f"seen: {text}")
    for text in said.missing:
        document.add(f"missing: {text}")
    for text in said.excess:
        document.add(f"too much: {text}")
    if said.grant:
        document.add("what has to be granted:")
        for line in said.grant.splitlines():
            document.add(line, indent=2)
    return document


def collected(said: pb.CollectNowResponse) -> Document:
    """Return what a connector read."""
    document = one(said.connector)
    for item in said.evidence:
        document.add(f"{item.kind} {item.key}".rstrip(), indent=2)
    if not said.evidence:
        document.add("nothing was stored: it was read a moment ago, or found nothing")
    return document


def _state(item: connector_pb2.Connector) -> str:
    if item.HasField("delete_time"):
        return "deleted"
    word = connector_pb2.ConnectorState.Name(item.health.state).removeprefix("CONNECTOR_STATE_").lower()
    return f"paused, {word}" if item.paused else word
