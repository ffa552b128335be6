"""Signs statements as a pipeline does: keys, in-toto statements, DSSE envelopes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PAYLOAD_TYPE = "application/vnd.in-toto+json"
SLSA_V1 = "https://slsa.dev/provenance/v1"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, and its public half in PEM as a service registers it."""

    private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

    @property
    def pem(self) -> str:
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(message)
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))


def p256_signer() -> Signer:
    """Return a new signer with an ECDSA P-256 key."""
    return Signer(ec.generate_private_key(ec.SECP256R1()))


def ed25519_signer() -> Signer:
    """Return a new signer with an Ed25519 key."""
    return Signer(ed25519.Ed25519PrivateKey.generate())


def statement(
    digest: str, predicate: Mapping[str, object], *, predicate_type: str = SLSA_V1, version: str = "v1"
) -> bytes:
    """Return an in-toto statement about one artifact, "sha256:…"."""
    body = {
        "_type": f"https://in-toto.io/Statement/{version}",
        "subject": [{"name": "app", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return json.dumps(body).encode()


def envelope(
    signer: Signer, payload: bytes, *, payload_type: str = PAYLOAD_TYPE, key_id: str | None = None
) -> dict[str, object]:
    """Return a signed DSSE envelope as an object, for a test to change."""
    name = payload_type.encode()
    message = b" ".join([b"DSSEv1", b"%d" % len(name), name, b"%d" % len(payload), payload])
    signature: dict[str, str] = {"sig": base64.b64encode(signer.sign(message)).decode()}
    if key_id is not None:
        signature["keyid"] = key_id
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [signature],
    }


def sign(signer: Signer, payload: bytes, *, key_id: str | None = None) -> bytes:
    """Return a signed DSSE envelope as it is sent."""
    return json.dumps(envelope(signer, payload, key_id=key_id)).encode()


def provenance(
    *,
    repository: str = "https://github.com/acme/checkout",
    ref: str = "refs/heads/main",
    commit: str = "a" * 40,
) -> dict[str, object]:
    """Return a SLSA version 1 predicate of a build by GitHub Actions."""
    return {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {"ref": ref, "repository": repository, "path": ".github/workflows/release.yml"}
            },
            "internalParameters": {"github": {"event_name": "push", "runner_environment": "github-hosted"}},
            "resolvedDependencies": [{"uri": f"git+{repository}@{ref}", "digest": {"gitCommit": commit}}],
        },
        "runDetails": {
            "builder": {"id": "https://github.com/actions/runner/github-hosted"},
            "metadata": {
                "invocationId": f"{repository}/actions/runs/1/attempts/1",
                "startedOn": "2026-11-22T12:00:00Z",
                "finishedOn": "2026-11-22T12:05:00Z",
            },
        },
    }
