"""Every RPC of the contract, read from the descriptors: its path, its messages and its class of load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from google.protobuf import message_factory
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.message import Message

from release_passport.v1 import (
    access_service_pb2,
    approval_service_pb2,
    audit_service_pb2,
    catalog_service_pb2,
    connector_service_pb2,
    decision_service_pb2,
    evidence_service_pb2,
    freeze_service_pb2,
    gate_service_pb2,
    group_service_pb2,
    job_service_pb2,
    notification_service_pb2,
    override_service_pb2,
    permit_service_pb2,
    policy_service_pb2,
    release_service_pb2,
    tenant_service_pb2,
    trust_service_pb2,
    waiver_service_pb2,
    watch_window_service_pb2,
)

CONTRACT: tuple[FileDescriptor, ...] = (
    access_service_pb2.DESCRIPTOR,
    approval_service_pb2.DESCRIPTOR,
    audit_service_pb2.DESCRIPTOR,
    catalog_service_pb2.DESCRIPTOR,
    connector_service_pb2.DESCRIPTOR,
    decision_service_pb2.DESCRIPTOR,
    evidence_service_pb2.DESCRIPTOR,
    freeze_service_pb2.DESCRIPTOR,
    gate_service_pb2.DESCRIPTOR,
    group_service_pb2.DESCRIPTOR,
    job_service_pb2.DESCRIPTOR,
    notification_service_pb2.DESCRIPTOR,
    override_service_pb2.DESCRIPTOR,
    permit_service_pb2.DESCRIPTOR,
    policy_service_pb2.DESCRIPTOR,
    release_service_pb2.DESCRIPTOR,
    tenant_service_pb2.DESCRIPTOR,
    trust_service_pb2.DESCRIPTOR,
    waiver_service_pb2.DESCRIPTOR,
    watch_window_service_pb2.DESCRIPTOR,
)

# These change nothing that is kept, so they give way before what does.
_READING = (
    "Get",
    "List",
    "Export",
    "Explain",
    "Simulate",
    "Validate",
    "Test",
    "WhoAmI",
    "CheckAccess",
    "ReviewAccess",
)


class CallClass(StrEnum):
    """What a call costs and how long it can wait; each class has its own limit."""

    DECIDE = "decide"
    WRITE = "write"
    READ = "read"
    STREAM = "stream"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC: unary, or with a stream of requests or of answers."""

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    client_streaming: bool
    call_class: CallClass
    server_streaming: bool = False

    @property
    def unary(self) -> bool:
        """Say whether it takes one message and gives one."""
        return not (self.client_streaming or self.server_streaming)

    @property
    def path(self) -> str:
        """Return the path that both edges know it by."""
        return f"/{self.service}/{self.name}"


def all_methods() -> tuple[Method, ...]:
    """Return every RPC of the contract; raise ValueError for a kind of stream that no edge serves."""
    return tuple(_methods())


def service_names() -> tuple[str, ...]:
    """Return the full name of every service of the contract."""
    return tuple(service.full_name for file in CONTRACT for service in file.services_by_name.values())


def _methods() -> Iterator[Method]:
    for file in CONTRACT:
        for service in file.services_by_name.values():
            for method in service.methods:
                if method.server_streaming and method.client_streaming:
                    raise ValueError(f"{method.full_name}: streams both ways are not served")
                yield Method(
                    service=service.full_name,
                    name=method.name,
                    request=message_factory.GetMessageClass(method.input_type),
                    response=message_factory.GetMessageClass(method.output_type),
                    client_streaming=method.client_streaming,
                    call_class=_call_class(method),
                    server_streaming=method.server_streaming,
                )


def _call_class(method: MethodDescriptor) -> CallClass:
    if method.name.startswith("Watch"):
        return CallClass.WATCH
    if method.client_streaming or method.server_streaming:
        return CallClass.STREAM
    if method.name == "Evaluate":
        return CallClass.DECIDE
    return CallClass.READ if method.name.startswith(_READING) else CallClass.WRITE
