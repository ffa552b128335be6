"""The logs of a Sigstore instance for tests: RFC 6962 trees, entries, promises and checkpoints."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def canonical(value: Any) -> bytes:
    """Return RFC 8785 for JSON with keys in ASCII and without fractions."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def spki(key: Any) -> bytes:
    """Return a public key in DER."""
    der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def root_hash(leaves: list[bytes]) -> bytes:
    """Return the hash of the tree over these leaves' hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return node_hash(root_hash(leaves[:middle]), root_hash(leaves[middle:]))


def inclusion_proof(index: int, leaves: list[bytes]) -> list[bytes]:
    """Return the hashes beside the path from a leaf to the root, the lowest first."""
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*inclusion_proof(index, leaves[:middle]), root_hash(leaves[middle:])]
    return [*inclusion_proof(index - middle, leaves[middle:]), root_hash(leaves[:middle])]


@dataclass
class Log:
    """Rekor v1 (ECDSA, promises), or where `tiled`, Rekor v2 (Ed25519, none)."""

    origin: str
    key: Any
    tiled: bool = False
    # Entries that were there before, so that proofs are not empty.
    leaves: list[bytes] = field(default_factory=lambda: [leaf_hash(b"filler %d" % n) for n in range(5)])

    @classmethod
    def v1(cls, org: str) -> Log:
        return cls(f"rekor.{org} - 1234567890", ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def v2(cls, org: str) -> Log:
        return cls(f"log2025-1.rekor.{org}", ed25519.Ed25519PrivateKey.generate(), tiled=True)

    @property
    def log_id(self) -> bytes:
        public = self.key.public_key()
        if self.tiled:
            # A C2SP signed note's key id, in full.
            return hashlib.sha256(self.origin.encode() + b"\n\x01" + public.public_bytes_raw()).digest()
        return hashlib.sha256(spki(public)).digest()

    def sign(self, data: bytes) -> bytes:
        signature: bytes = (
            self.key.sign(data) if self.tiled else self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        )
        return signature

    def checkpoint(self, size: int, root: bytes) -> str:
        """Return a signed tree head."""
        body = f"{self.origin}\n{size}\n{b64(root)}\n"
        name = self.origin.split(" ")[0]
        return f"{body}\n\u2014 {name} {b64(self.log_id[:4] + self.sign(body.encode()))}\n"

    def add(
        self, kind: str, version: str, spec: dict[str, Any], at: datetime, *, promise: bool
    ) -> dict[str, Any]:
        """Append an entry, and return it as a bundle has it."""
        body = canonical({"apiVersion": version, "kind": kind, "spec": spec})
        self.leaves.append(leaf_hash(body))
        index, size = len(self.leaves) - 1, len(self.leaves)
        root = root_hash(self.leaves)
        entry: dict[str, Any] = {
            "logIndex": str(index),
            "logId": {"keyId": b64(self.log_id)},
            "kindVersion": {"kind": kind, "version": version},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": b64(root),
                "treeSize": str(size),
                "hashes": [b64(one) for one in inclusion_proof(index, self.leaves)],
                "checkpoint": {"envelope": self.checkpoint(size, root)},
            },
            "canonicalizedBody": b64(body),
        }
        if not self.tiled:
            time = int(at.timestamp())
            entry["integratedTime"] = str(time)
            if promise:
                entry["inclusionPromise"] = {"signedEntryTimestamp": b64(self._promise(body, time, index))}
        return entry

    def _promise(self, body: bytes, time: int, index: int) -> bytes:
        promised = {"body": b64(body), "integratedTime": time, "logID": self.log_id.hex(), "logIndex": index}
        return self.sign(canonical(promised))
