"""What requests are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

ULID = "01JQ0000000000000000000000"


@dataclass(frozen=True, slots=True)
class Names:
    """What a request is about."""

    tenant: str = "default"
    service: str = "checkout"
    environment: str = "prod"
    version: str = "1.0.0"
    policy: str = "render"
    ulid: str = ULID
    evidence: str = ULID

    @property
    def inside(self) -> str:
        return f"tenants/{self.tenant}"

    @property
    def place(self) -> str:
        return f"{self.inside}/services/{self.service}/environments/{self.environment}"

    @property
    def release(self) -> str:
        return f"{self.place}/releases/{self.version}"

    @property
    def digest(self) -> str:
        return "sha256:" + "a" * 64


def ahead(**span: float) -> Timestamp:
    """Return the present moment, moved."""
    moved = Timestamp()
    moved.FromDatetime(datetime.now(UTC) + timedelta(**span))
    return moved
