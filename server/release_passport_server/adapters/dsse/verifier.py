"""From the bytes of an envelope to facts that a registered key vouches for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.adapters.dsse.envelope import VerificationFailure, verify_envelope
from release_passport_server.adapters.dsse.keys import KeyInvalid, TrustedKey, load_key
from release_passport_server.adapters.dsse.provenance import provenance_v02, provenance_v1
from release_passport_server.adapters.dsse.sbom import cyclonedx, spdx
from release_passport_server.adapters.dsse.statement import Statement, StatementInvalid, read_statement
from release_passport_server.adapters.dsse.strict_json import JSON
from release_passport_server.adapters.dsse.summary import verification_summary
from release_passport_server.domain.attestation import AttestationFailure, AttestationResult, failed
from release_passport_server.domain.evidence import Verification
from release_passport_server.wire.facts import check_facts

_FORMAT = "application/vnd.dsse.envelope.v1+json"
_SIGNATURE = "signature"

_Derive = Callable[[JSON], tuple[Message, datetime | None]]

# The predicate types that are understood: kind of evidence, and how its facts are read.
_PREDICATES: tuple[tuple[re.Pattern[str], str, _Derive], ...] = (
    (re.compile(r"https://slsa\.dev/provenance/v0\.2"), "provenance", provenance_v02),
    (re.compile(r"https://slsa\.dev/provenance/v1"), "provenance", provenance_v1),
    (re.compile(r"https://slsa\.dev/verification_summary/v1"), "verification_summary", verification_summary),
    (re.compile(r"https://spdx\.dev/Document(?:/v2\.[23])?"), "sbom", spdx),
    (re.compile(r"https://cyclonedx\.org/bom(?:/v1\.[0-9])?"), "sbom", cyclonedx),
)


class DSSEVerifier:
    """Verifies DSSE envelopes with registered public keys; needs neither network nor files."""

    def verify(
        self, bundle: bytes, subject_digest: str, keys: Sequence[str], *, kind: str = ""
    ) -> AttestationResult:
        """Return the facts that one of the keys signed about this digest, or why there are none."""
        envelope = verify_envelope(bundle, keys)
        if isinstance(envelope, VerificationFailure):
            return failed(envelope.reason, envelope.text)
        signer = envelope.key.signer
        try:
            statement = read_statement(envelope.payload)
        except StatementInvalid as error:
            return failed(AttestationFailure.STATEMENT_MALFORMED, str(error), signer=signer)
        if subject_digest not in statement.subjects:
            return failed(
                AttestationFailure.SUBJECT_MISMATCH,
                f"the statement is not about {subject_digest[:80]}",
                signer=signer,
            )
        if kind == _SIGNATURE:
            return _verified(envelope.key, _SIGNATURE, _signature(envelope.key), None)
        return _derived(statement, envelope.key, kind)

    def key_problem(self, key: str) -> str | None:
        """Return why this cannot be registered as a signer's public key, or None."""
        try:
            load_key(key)
        except KeyInvalid as error:
            return str(error)
        return None

    def key_signer(self, key: str) -> str:
        """Return the signer as results name it; raise ValueError for a key with a problem."""
        return load_key(key).signer


def _derived(statement: Statement, key: TrustedKey, kind: str) -> AttestationResult:
    """Return the facts of a statement that a key vouches for."""
    for pattern, name, derive in _PREDICATES:
        if not pattern.fullmatch(statement.predicate_type):
            continue
        if kind not in ("", name):
            text = f"sent as {kind[:80]}, but the statement is a {name}"
            return failed(AttestationFailure.KIND_MISMATCH, text, signer=key.signer)
        message, time = derive(statement.predicate)
        facts = evidence_pb2.EvidenceFacts()
        getattr(facts, name).CopyFrom(message)
        problems = check_facts(facts, "predicate")
        if problems:
            text = f"{problems[0].field}: {problems[0].description}"
            return failed(AttestationFailure.STATEMENT_MALFORMED, text, signer=key.signer)
        return _verified(key, name, message, time)
    text = f"no facts are derived from {statement.predicate_type[:120]!a}"
    return failed(AttestationFailure.PREDICATE_UNSUPPORTED, text, signer=key.signer)


def _signature(key: TrustedKey) -> evidence_pb2.Signature:
    # A bare key has neither issuer nor signing time, and its signature is in no transparency log.
    return evidence_pb2.Signature(
        signer=key.signer, key_id=key.key_id, format=_FORMAT, transparency_logged=False
    )


def _verified(key: TrustedKey, kind: str, facts: Message, time: datetime | None) -> AttestationResult:
    return AttestationResult(
        Verification.VERIFIED, signer=key.signer, facts_kind=kind, facts=facts, statement_time=time
    )
