"""A whole Sigstore instance in one process, for tests: it issues, logs, stamps, and makes bundles and trusted roots.

It imports nothing of the verifier and nothing of Sigstore's libraries: maker and verifier share no code. The logs
compute their trees anew for each entry, which is good for some thousands.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.minisigstore_ca import Authority, Identity, Leaf, TimestampAuthority
from support.minisigstore_log import Log, b64, canonical, spki

__all__ = ["How", "Identity", "Leaf", "MiniSigstore", "Spans", "as_bytes", "statement"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MEDIA = {
    "0.1": "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "0.2": "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "0.3": "application/vnd.dev.sigstore.bundle.v0.3+json",
}
_HASHES = {"secp256r1": ("SHA2_256", hashes.SHA256()), "secp384r1": ("SHA2_384", hashes.SHA384())}
_DETAILS = {"secp256r1": "PKIX_ECDSA_P256_SHA_256", "secp384r1": "PKIX_ECDSA_P384_SHA_384"}


@dataclass(frozen=True)
class Spans:
    """When each part of a trusted root ends; None is with the instance."""

    log: datetime | None = None
    ct_log: datetime | None = None
    authority: datetime | None = None
    timestamps: datetime | None = None


@dataclass(frozen=True)
class How:
    """How a bundle is made. The defaults are those of today's public instance."""

    version: str = "0.3"
    # 1 or 2, or 0 for no log entry at all.
    rekor: int = 1
    # None: where the log gives no time.
    stamped: bool | None = None
    promise: bool = True
    proof: bool = True
    # "intoto" as npm's entries to 2024, "dsse/0.0.2" as Rekor v2's in 2025, "hashedrekord" for an envelope in Rekor v1.
    kind: str = ""
    payload_type: str = PAYLOAD_TYPE
    curve: ec.EllipticCurve | None = field(default_factory=ec.SECP256R1)
    leaf: Leaf = field(default_factory=Leaf)
    message_digest: bool = True


class MiniSigstore:
    """One instance: its certificate authority, its logs and its timestamp authority."""

    def __init__(self, *, start: datetime | None = None, org: str = "mini.test") -> None:
        self.org = org
        self.start = (start or datetime(2024, 1, 1, tzinfo=UTC)).replace(microsecond=0)
        self.end = self.start + timedelta(days=3650)
        self.authority = Authority(org, self.start, self.end)
        self.timestamps = TimestampAuthority(org, self.start, self.end)
        self.rekor, self.tiled = Log.v1(org), Log.v2(org)
        self.when = self.start + timedelta(days=30)

    def bundle(
        self,
        identity: Identity,
        content: bytes | dict[str, Any],
        how: How | None = None,
        *,
        at: datetime | None = None,
        logged_at: datetime | None = None,
    ) -> dict[str, Any]:
        """Return a bundle over an artifact (bytes) or a statement.

        `at` is when the certificate was issued, `logged_at` when the signature was logged or stamped.
        """
        how, at = how or How(), at or self.when
        key: Any = (
            ed25519.Ed25519PrivateKey.generate() if how.curve is None else ec.generate_private_key(how.curve)
        )
        certificate = self.authority.issue(identity, key.public_key(), at, how.leaf)
        raw = {"rawBytes": b64(certificate.public_bytes(Encoding.DER))}
        chain = {"x509CertificateChain": {"certificates": [raw]}}
        signer = _Signer(key, certificate.public_bytes(Encoding.PEM), {"x509Certificate": raw})
        material = {"certificate": raw} if how.version == "0.3" else chain
        return self._bundle(material, signer, content, how, logged_at or at + timedelta(seconds=5))

    def key_bundle(
        self,
        key: Any,
        content: bytes | dict[str, Any],
        how: How | None = None,
        *,
        hint: str | None = None,
    ) -> dict[str, Any]:
        """Return a bundle that was signed with a long-lived key and names it by a hint."""
        public = key.public_key()
        digest = b64(hashlib.sha256(spki(public)).digest())
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signer = _Signer(key, pem, {"publicKey": {"rawBytes": b64(spki(public))}})
        material = {"publicKey": {"hint": digest if hint is None else hint}}
        return self._bundle(material, signer, content, how or How(), self.when)

    def trusted_root(self, spans: Spans | None = None) -> bytes:
        """Return the trusted root of this instance."""
        spans = spans or Spans()
        v1, v2 = self.rekor, self.tiled
        authority, stamps = self.authority, self.timestamps
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                self._log(f"https://rekor.{self.org}", v1.key, v1.log_id, spans.log),
                self._log(f"https://{v2.origin}", v2.key, v2.log_id, spans.log),
            ],
            "certificateAuthorities": [
                self._ca("fulcio", [authority.certificate, authority.root], spans.authority)
            ],
            "ctlogs": [
                self._log(f"https://ctfe.{self.org}", authority.ct_key, authority.ct_log_id, spans.ct_log)
            ],
            "timestampAuthorities": [self._ca("tsa", [stamps.certificate, stamps.root], spans.timestamps)],
        }
        return json.dumps(root).encode()

    def _bundle(
        self,
        material: dict[str, Any],
        signer: _Signer,
        content: bytes | dict[str, Any],
        how: How,
        time: datetime,
    ) -> dict[str, Any]:
        signed, signature = signer.sign(content, how)
        material = {**material, "tlogEntries": []}
        if how.rekor:
            artifact = content if isinstance(content, bytes) else b""
            material["tlogEntries"].append(self._logged(signed, artifact, signature, signer, how, time))
        stamped = how.rekor != 1 if how.stamped is None else how.stamped
        stamps = [{"signedTimestamp": b64(self.timestamps.stamp(signature, time))}] if stamped else []
        material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        return {"mediaType": MEDIA[how.version], "verificationMaterial": material, **signed}

    def _logged(
        self,
        signed: dict[str, Any],
        artifact: bytes,
        signature: bytes,
        signer: _Signer,
        how: How,
        time: datetime,
    ) -> dict[str, Any]:
        kind, version, spec = _entry(signed, artifact, signature, signer, how)
        log = self.tiled if how.rekor == 2 else self.rekor
        entry = log.add(kind, version, spec, time, promise=how.promise)
        if not how.proof:
            del entry["inclusionProof"]
        return entry

    def _span(self, end: datetime | None) -> dict[str, str]:
        return {"start": self.start.isoformat(), "end": (end or self.end).isoformat()}

    def _log(self, url: str, key: Any, log_id: bytes, end: datetime | None) -> dict[str, Any]:
        tiled = isinstance(key, ed25519.Ed25519PrivateKey)
        return {
            "baseUrl": url,
            "hashAlgorithm": "SHA2_256",
            "logId": {"keyId": b64(log_id)},
            "publicKey": {
                "rawBytes": b64(spki(key.public_key())),
                "keyDetails": "PKIX_ED25519" if tiled else "PKIX_ECDSA_P256_SHA_256",
                "validFor": self._span(end),
            },
        }

    def _ca(self, name: str, certificates: list[Any], end: datetime | None) -> dict[str, Any]:
        listed = [{"rawBytes": b64(one.public_bytes(Encoding.DER))} for one in certificates]
        return {
            "subject": {"organization": self.org, "commonName": name},
            "uri": f"https://{name}.{self.org}",
            "validFor": self._span(end),
            "certChain": {"certificates": listed},
        }


@dataclass(frozen=True)
class _Signer:
    """A private key, with its certificate or public key as logs keep it."""

    key: Any
    pem: bytes
    verifier: dict[str, Any]

    @property
    def curve(self) -> str:
        return self.key.curve.name if isinstance(self.key, ec.EllipticCurvePrivateKey) else ""

    def sign(self, content: bytes | dict[str, Any], how: How) -> tuple[dict[str, Any], bytes]:
        """Return the bundle's content and the signature."""
        if isinstance(content, bytes):
            signature = self._made(content)
            name, algorithm = _HASHES[self.curve]
            message: dict[str, Any] = {"signature": b64(signature)}
            if how.message_digest:
                message["messageDigest"] = {"algorithm": name, "digest": b64(_digest(algorithm, content))}
            return {"messageSignature": message}, signature
        payload = json.dumps(content).encode()
        signature = self._made(pae(how.payload_type, payload))
        envelope = {
            "payload": b64(payload),
            "payloadType": how.payload_type,
            "signatures": [{"sig": b64(signature)}],
        }
        return {"dsseEnvelope": envelope}, signature

    def _made(self, message: bytes) -> bytes:
        if not self.curve:
            return bytes(self.key.sign(message))
        return bytes(self.key.sign(message, ec.ECDSA(_HASHES[self.curve][1])))


def _entry(
    signed: dict[str, Any], artifact: bytes, signature: bytes, signer: _Signer, how: How
) -> tuple[str, str, dict[str, Any]]:
    """Return kind, version and body of the log entry."""
    envelope = signed.get("dsseEnvelope")
    payload = base64.b64decode(envelope["payload"]) if envelope else b""
    hashed = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
    verifier = {"keyDetails": _DETAILS.get(signer.curve, "PKIX_ED25519"), **signer.verifier}
    if how.kind == "dsse/0.0.2":
        digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(payload).digest())}
        signatures = [{"content": b64(signature), "verifier": verifier}]
        return "dsse", "0.0.2", {"dsseV002": {"payloadHash": digest, "signatures": signatures}}
    if how.rekor == 2:
        message = pae(envelope["payloadType"], payload) if envelope else artifact
        name, algorithm = _HASHES[signer.curve]
        record = {
            "data": {"algorithm": name, "digest": b64(_digest(algorithm, message))},
            "signature": {"content": b64(signature), "verifier": verifier},
        }
        return "hashedrekord", "0.0.2", {"hashedRekordV002": record}
    if envelope is None or how.kind == "hashedrekord":
        message = pae(envelope["payloadType"], payload) if envelope else artifact
        name, algorithm = _HASHES[signer.curve]
        value = _digest(algorithm, message).hex()
        spec = {
            "data": {"hash": {"algorithm": name.replace("SHA2_", "sha"), "value": value}},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(signer.pem)}},
        }
        return "hashedrekord", "0.0.1", spec
    whole = {"algorithm": "sha256", "value": hashlib.sha256(canonical(envelope)).hexdigest()}
    if how.kind == "intoto":
        # This kind keeps the signature in base 64 twice over.
        signatures = [{"publicKey": b64(signer.pem), "sig": b64(b64(signature).encode())}]
        inner = {"payloadType": envelope["payloadType"], "signatures": signatures}
        return "intoto", "0.0.2", {"content": {"envelope": inner, "hash": whole, "payloadHash": hashed}}
    signatures = [{"signature": b64(signature), "verifier": b64(signer.pem)}]
    return "dsse", "0.0.1", {"envelopeHash": whole, "payloadHash": hashed, "signatures": signatures}


def _digest(algorithm: hashes.HashAlgorithm, message: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(message)
    return digest.finalize()


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed of an envelope (DSSE, pre-authentication encoding)."""
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def statement(
    subjects: dict[str, str], predicate_type: str, predicate: dict[str, Any], version: str = "v1"
) -> dict[str, Any]:
    """Return an in-toto statement over artifacts, by name and SHA-256 in hexadecimal."""
    return {
        "_type": f"https://in-toto.io/Statement/{version}",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects.items()],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def as_bytes(bundle: dict[str, Any]) -> bytes:
    """Return a bundle as it is sent."""
    return json.dumps(bundle).encode()
