"""Provenance is what a build says of itself; a certificate is what the authority saw of the build."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.attestation import SignerClaims


def agreed(message: Message, claims: SignerClaims) -> Message:
    """Return the facts with what only the certificate says, and without what the two say differently.

    What is contradictory is unknown, and a rule that reads it holds. A statement that was signed by a bare key stays as
    it is.
    """
    if not isinstance(message, evidence_pb2.Provenance) or not claims.issuer:
        return message
    stated = {
        "source_uri": claims.repository,
        "source_ref": claims.ref,
        "source_revision": claims.revision,
        "build_trigger": claims.trigger,
        "runner_environment": claims.runner_environment,
        "source_repository_id": claims.repository_id,
        "source_owner_id": claims.owner_id,
        "invocation_id": claims.invocation,
    }
    both = evidence_pb2.Provenance()
    both.CopyFrom(message)
    for name, claim in stated.items():
        if not claim:
            continue
        if not both.HasField(name):
            setattr(both, name, claim)
        elif getattr(both, name) != claim:
            both.ClearField(name)
    return both
