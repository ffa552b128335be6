"""Reads Sigstore bundles, versions 0.1 to 0.3 (sigstore/protobuf-specs, sigstore_bundle.proto), and nothing beside."""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.wire.intoto.strict_json import JSON, JSONInvalid, parse

_MEDIA_TYPES = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "0.3",
}
MAX_TIMESTAMPS = 32
_MAX_CERTIFICATES = 10
_MAX_PROOF = 64
_MAX_UINT64 = 2**64 - 1
# The fields that each object may have.
_TOP = frozenset({"mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"})
_MATERIAL = frozenset(
    {"publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"}
)
_ENVELOPE = frozenset({"payload", "payloadType", "signatures"})
_SIGNATURE = frozenset({"sig", "keyid"})
_MESSAGE = frozenset({"messageDigest", "signature"})
_DIGEST = frozenset({"algorithm", "digest"})
_HINT = frozenset({"hint"})
_RAW = frozenset({"rawBytes"})
_CHAIN = frozenset({"certificates"})
_STAMPS = frozenset({"rfc3161Timestamps"})
_STAMP = frozenset({"signedTimestamp"})
_ENTRY = frozenset(
    {
        "logIndex",
        "logId",
        "kindVersion",
        "integratedTime",
        "inclusionPromise",
        "inclusionProof",
        "canonicalizedBody",
    }
)
_KIND = frozenset({"kind", "version"})
_LOG_ID = frozenset({"keyId"})
_PROMISE = frozenset({"signedEntryTimestamp"})
_PROOF = frozenset({"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"})
_CHECKPOINT = frozenset({"envelope"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE envelope with its one signature."""

    payload_type: str
    payload: bytes

    def pae(self) -> bytes:
        """Return the bytes that are signed: the pre-authentication encoding of type and payload."""
        name = self.payload_type.encode()
        return b"DSSEv1 %d %s %d %s" % (len(name), name, len(self.payload), self.payload)


@dataclass(frozen=True, slots=True)
class Message:
    """A signature over the bytes of an artifact, whose digest the bundle may name."""

    algorithm: str = ""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry is in the tree whose root a checkpoint signs."""

    log_index: int
    tree_size: int
    root_hash: bytes
    hashes: list[bytes]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of a transparency log, with what the log signed about it."""

    log_index: int
    log_id: bytes
    kind: str
    version: str
    integrated_time: int
    promise: bytes
    proof: InclusionProof | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's parts, decoded and not yet believed."""

    version: str
    media_type: str
    # DER; empty in a bundle that names a key.
    certificate: bytes
    key_hint: str
    content: Envelope | Message
    signature: bytes
    entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...]


def read_bundle(raw: bytes) -> Bundle:
    """Return the parts of a bundle; raise Refused."""
    try:
        value = parse(raw)
    except JSONInvalid as error:
        raise _malformed(str(error)) from error
    top = _Fields(value, "", _TOP)
    media_type = top.text("mediaType")
    version = _MEDIA_TYPES.get(media_type)
    if version is None:
        raise Refused(Failure.BUNDLE_UNSUPPORTED, "`mediaType` must be that of a bundle, version 0.1 to 0.3")
    material = top.object("verificationMaterial", _MATERIAL)
    content, signature = _content(top)
    certificate, hint = _signer(material, version)
    return Bundle(
        version=version,
        media_type=media_type,
        certificate=certificate,
        key_hint=hint,
        content=content,
        signature=signature,
        entries=tuple(_entry(entry) for entry in material.objects("tlogEntries", 8, _ENTRY)),
        timestamps=_timestamps(material),
    )


def _content(top: _Fields) -> tuple[Envelope | Message, bytes]:
    if top.has("dsseEnvelope") == top.has("messageSignature"):
        raise _malformed("must have one of `dsseEnvelope` and `messageSignature`")
    if top.has("messageSignature"):
        message = top.object("messageSignature", _MESSAGE)
        signature = message.data("signature")
        if not message.has("messageDigest"):
            return Message(), signature
        digest = message.object("messageDigest", _DIGEST)
        return Message(digest.text("algorithm"), digest.data("digest")), signature
    envelope = top.object("dsseEnvelope", _ENVELOPE)
    signatures = envelope.objects("signatures", 64, _SIGNATURE)
    if len(signatures) != 1:
        text = f"`dsseEnvelope.signatures` must have one entry, has {len(signatures)}"
        raise Refused(Failure.ENVELOPE_MALFORMED, text)
    return Envelope(envelope.text("payloadType"), envelope.data("payload")), signatures[0].data("sig")


def _signer(material: _Fields, version: str) -> tuple[bytes, str]:
    """Return certificate and key hint, of which one is there."""
    named = [name for name in ("publicKey", "x509CertificateChain", "certificate") if material.has(name)]
    if len(named) != 1:
        raise _malformed(
            "`verificationMaterial` must have one of publicKey, x509CertificateChain and certificate"
        )
    if named == ["publicKey"]:
        return b"", material.object("publicKey", _HINT).text("hint", "")
    if (named == ["certificate"]) != (version == "0.3"):
        wanted = "certificate" if version == "0.3" else "x509CertificateChain"
        raise _malformed(f"a bundle of version {version} has `verificationMaterial.{wanted}`")
    if named == ["certificate"]:
        return material.object("certificate", _RAW).data("rawBytes"), ""
    chain = material.object("x509CertificateChain", _CHAIN)
    certificates = chain.objects("certificates", _MAX_CERTIFICATES, _RAW)
    if not certificates:
        raise _malformed("`x509CertificateChain.certificates` is empty")
    # The first is the signer's. The others are not needed: the trusted root has the authorities.
    return certificates[0].data("rawBytes"), ""


def _timestamps(material: _Fields) -> tuple[bytes, ...]:
    if not material.has("timestampVerificationData"):
        return ()
    data = material.object("timestampVerificationData", _STAMPS)
    listed = data.objects("rfc3161Timestamps", MAX_TIMESTAMPS, _STAMP)
    return tuple(entry.data("signedTimestamp") for entry in listed)


def _entry(entry: _Fields) -> LogEntry:
    kind = entry.object("kindVersion", _KIND)
    promise = b""
    if entry.has("inclusionPromise"):
        promise = entry.object("inclusionPromise", _PROMISE).data("signedEntryTimestamp")
    return LogEntry(
        log_index=entry.number("logIndex"),
        log_id=entry.object("logId", _LOG_ID).data("keyId"),
        kind=kind.text("kind"),
        version=kind.text("version"),
        integrated_time=entry.number("integratedTime"),
        promise=promise,
        proof=_proof(entry) if entry.has("inclusionProof") else None,
        body=entry.data("canonicalizedBody"),
    )


def _proof(entry: _Fields) -> InclusionProof:
    proof = entry.object("inclusionProof", _PROOF)
    checkpoint = ""
    if proof.has("checkpoint"):
        checkpoint = proof.object("checkpoint", _CHECKPOINT).text("envelope", "")
    return InclusionProof(
        log_index=proof.number("logIndex"),
        tree_size=proof.number("treeSize"),
        root_hash=proof.data("rootHash"),
        hashes=proof.datas("hashes", _MAX_PROOF),
        checkpoint=checkpoint,
    )


class _Fields:
    """An object's fields, read as protobuf's JSON mapping has them; whatever does not fit is refused by its path."""

    __slots__ = ("_path", "_value")

    def __init__(self, value: JSON, path: str, known: frozenset[str]) -> None:
        if not isinstance(value, dict):
            raise _malformed(f"`{path}` must be an object" if path else "not a JSON object")
        if not value.keys() <= known:
            raise _malformed(
                f"{'`' + path + '`' if path else 'the bundle'} has fields that are not in version 0.3"
            )
        # In protobuf's mapping null is the same as absent.
        nulls = None in value.values()
        self._value = {name: found for name, found in value.items() if found is not None} if nulls else value
        self._path = f"{path}." if path else ""

    def has(self, name: str) -> bool:
        return name in self._value

    def text(self, name: str, default: str | None = None) -> str:
        value = self._value.get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def number(self, name: str) -> int:
        """Return a 64-bit integer, which is a text in protobuf's mapping, or a number; absent is 0."""
        value = self._value.get(name, 0)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_UINT64:
            raise self._wrong(name, "an integer that is not negative")
        return value

    def data(self, name: str) -> bytes:
        value = self._value.get(name)
        if not isinstance(value, str) or not value:
            raise self._wrong(name, "bytes in base 64")
        return self._decoded(name, value)

    def datas(self, name: str, most: int) -> list[bytes]:
        return [self._decoded(name, value) for value in self._list(name, most)]

    def object(self, name: str, known: frozenset[str]) -> _Fields:
        return _Fields(self._value.get(name), self._path + name, known)

    def objects(self, name: str, most: int, known: frozenset[str]) -> list[_Fields]:
        return [_Fields(value, f"{self._path}{name}[]", known) for value in self._list(name, most)]

    def _list(self, name: str, most: int) -> list[JSON]:
        value = self._value.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(name, f"a list of at most {most} entries")
        return value

    def _decoded(self, name: str, value: JSON) -> bytes:
        if not isinstance(value, str):
            raise self._wrong(name, "bytes in base 64")
        try:
            return binascii.a2b_base64(value, strict_mode=True)
        except ValueError:
            pass
        try:
            # Protobuf's mapping permits both alphabets.
            return binascii.a2b_base64(value.replace("-", "+").replace("_", "/"), strict_mode=True)
        except ValueError as error:
            raise self._wrong(name, "bytes in base 64") from error

    def _wrong(self, name: str, what: str) -> Refused:
        return _malformed(f"`{self._path}{name}` must be {what}")


def _malformed(text: str) -> Refused:
    return Refused(Failure.BUNDLE_MALFORMED, text)
