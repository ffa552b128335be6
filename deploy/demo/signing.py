"""What a build does with its key: sign SLSA provenance about a digest as a DSSE envelope."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class BuildKey:
    """The build's P-256 key."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> BuildKey:
        """Return a new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> bytes:
        """Return the public key, which the admin registers as a signer of the service."""
        public = self.private.public_key()
        return public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def provenance(self, digest: str, commit: str, built: datetime) -> bytes:
        """Return signed SLSA v1 provenance of a build from the main branch (slsa.dev/spec/v1.0/provenance)."""
        source = "https://github.com/acme/checkout"
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"name": "registry.example/checkout", "digest": {"sha256": digest.removeprefix("sha256:")}}
            ],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                    "externalParameters": {
                        "workflow": {
                            "ref": "refs/heads/main",
                            "repository": source,
                            "path": ".github/workflows/release.yaml",
                        }
                    },
                    "internalParameters": {"github": {"event_name": "push"}},
                    "resolvedDependencies": [
                        {"uri": f"git+{source}@refs/heads/main", "digest": {"gitCommit": commit}}
                    ],
                },
                "runDetails": {
                    "builder": {"id": "https://github.com/actions/runner/github-hosted"},
                    "metadata": {"finishedOn": built.strftime("%Y-%m-%dT%H:%M:%SZ")},
                },
            },
        }
        payload = json.dumps(statement).encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
        signature = self.private.sign(signed, ec.ECDSA(hashes.SHA256()))
        envelope = {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        }
        return json.dumps(envelope).encode()
