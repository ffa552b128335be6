"""The server's time, from a simulation that reads and records nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from release_passport.cli.render.view import moment
from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_service_pb2, release_pb2

if TYPE_CHECKING:
    from release_passport.client import Client


def server_time(client: Client) -> datetime | None:
    """Return the server's time; None when this credential may not simulate."""
    identity = release_pb2.ReleaseIdentity(
        service="doctor",
        environment="doctor",
        version="1",
        source_revision="0" * 40,
        artifacts=[release_pb2.Artifact(name="doctor", digest=f"sha256:{'0' * 64}")],
    )
    request = decision_service_pb2.SimulateDecisionRequest(identity=identity, policies_only=True)
    try:
        return moment(client.simulate_decision(request).decision.decide_time)
    except PassportAPIError:
        return None
