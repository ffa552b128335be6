"""From the bytes of an envelope to facts that a registered key vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.adapters.dsse.envelope import VerificationFailure, verify_envelope
from release_passport_server.adapters.dsse.keys import KeyInvalid, TrustedKey, load_key
from release_passport_server.domain.attestation import AttestationFailure, AttestationResult, failed
from release_passport_server.domain.evidence import Verification
from release_passport_server.wire.intoto.predicates import check_derived, facts_of, kind_of
from release_passport_server.wire.intoto.statement import Statement, StatementInvalid, read_statement

_FORMAT = "application/vnd.dsse.envelope.v1+json"
_SIGNATURE = "signature"


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
    name = kind_of(statement.predicate_type)
    if name is not None and kind not in ("", name):
        text = f"sent as {kind[:80]}, but the statement is a {name}"
        return failed(AttestationFailure.KIND_MISMATCH, text, signer=key.signer)
    facts = facts_of(statement)
    if facts is None:
        text = f"no facts are derived from {statement.predicate_type[:120]!a}"
        return failed(AttestationFailure.PREDICATE_UNSUPPORTED, text, signer=key.signer)
    try:
        check_derived(facts.kind, facts.message)
    except StatementInvalid as error:
        return failed(AttestationFailure.STATEMENT_MALFORMED, str(error), signer=key.signer)
    return _verified(key, facts.kind, facts.message, facts.time)


def _signature(key: TrustedKey) -> evidence_pb2.Signature:
    # A bare key has neither issuer nor signing time, and its signature is in no transparency log.
    return evidence_pb2.Signature(
        signer=key.signer, key_id=key.key_id, format=_FORMAT, transparency_logged=False
    )


def _verified(key: TrustedKey, kind: str, facts: Message, time: datetime | None) -> AttestationResult:
    return AttestationResult(
        Verification.VERIFIED, signer=key.signer, facts_kind=kind, facts=facts, statement_time=time
    )
