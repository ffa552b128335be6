"""From what is proven about a bundle to what counts: may its signer say so, and is it what was asked."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.adapters.sigstore.report import Report
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.domain.attestation import Failed, SignerClaims, Verified
from release_passport_server.domain.trust import Refusal, Trust, vouching
from release_passport_server.wire.text import MAX_ID_BYTES

_SIGNATURE = "signature"


def judged(report: Report, subjects: Collection[str], trust: Trust, kind: str) -> Verified | Failed:
    """Return what the report comes to for this question under this trust configuration."""
    if report.failure is not None or report.claims is None:
        return _failed(report, trust, report.failure or Failure.VERIFIER_CRASHED, report.text)
    is_statement = bool(report.predicate_type)
    name = report.kind if is_statement and kind != _SIGNATURE else _SIGNATURE
    facts = _facts(report, name)
    vouchers = _vouchers(trust, report.claims, name, facts)
    if isinstance(vouchers, Refusal):
        return _failed(report, trust, Failure.SIGNER_NOT_TRUSTED, vouchers.text, vouchers.cause)
    bound = tuple(sorted(report.subjects.intersection(subjects)))
    if not bound:
        asked = ", ".join(sorted(subjects)[:3])[:300]
        what = "the statement is not about" if is_statement else "the signature is not over"
        return _failed(
            report, trust, Failure.SUBJECT_MISMATCH, f"{what} {asked or 'any digest that was asked for'}"
        )
    if facts is None:
        return _without_facts(report, trust)
    if kind not in ("", name):
        what = f"a {name}" if is_statement else "a signature over the artifact itself"
        return _failed(report, trust, Failure.KIND_MISMATCH, f"sent as {kind[:80]}, but it is {what}")
    if name == _SIGNATURE and len((report.claims.identity or report.claims.name).encode()) > MAX_ID_BYTES:
        text = f"the signer's name is longer than {MAX_ID_BYTES} bytes, and no item can be told by it"
        return _failed(report, trust, Failure.CERTIFICATE_UNSUITABLE, text)
    return Verified(
        claims=report.claims,
        vouchers=vouchers,
        method=report.method,
        kind=name,
        facts=facts,
        subjects=bound,
        sign_time=report.sign_time,
        statement_time=None if name == _SIGNATURE else report.statement_time,
        predicate_type=report.predicate_type,
        log_index=report.log_index,
        root=report.root,
        trust_revision=trust.revision,
    )


def _facts(report: Report, name: str) -> Message | None:
    """Return the message of a kind, None where the statement yields none."""
    if name == _SIGNATURE:
        return _signature(report)
    if not name:
        return None
    message: Message = type(getattr(evidence_pb2.EvidenceFacts(), name)).FromString(report.facts)
    return message


def _signature(report: Report) -> evidence_pb2.Signature:
    claims = report.claims or SignerClaims()
    facts = evidence_pb2.Signature(
        signer=claims.identity or claims.name,
        format=report.media_type,
        transparency_logged="rekor" in report.method,
    )
    stated = {
        "issuer": claims.issuer,
        "key_id": claims.key_id,
        "repository_id": claims.repository_id,
        "workflow_ref": claims.builder or claims.workflow,
    }
    for name, value in stated.items():
        if value:
            setattr(facts, name, value)
    if report.sign_time is not None:
        facts.sign_time.FromDatetime(report.sign_time)
    if report.log_index is not None and report.log_index < 2**63:
        facts.log_index = report.log_index
    return facts


def _vouchers(
    trust: Trust, claims: SignerClaims, kind: str, facts: Message | None
) -> tuple[str, ...] | Refusal:
    """Return the names of the rules and keys that let this signer vouch for this kind."""
    if not claims.key_id:
        builder = facts.builder_id if isinstance(facts, evidence_pb2.Provenance) else ""
        return vouching(trust.rules, claims, kind, builder)
    owned = [key for key in trust.keys if _key_id(key.pem) == claims.key_id]
    named = tuple(key.name for key in owned if not kind or key.scope.has_kind(kind))
    if named:
        return named
    if owned:
        text = f"key {owned[0].name} may not vouch for {kind}"
        return Refusal(Failure.KIND_NOT_VOUCHED, text)
    return Refusal(Failure.IDENTITY_MISMATCH, f"{claims.name} is not registered")


def _without_facts(report: Report, trust: Trust) -> Failed:
    if report.statement_problem:
        return _failed(report, trust, Failure.STATEMENT_MALFORMED, report.statement_problem)
    text = f"no facts are derived from {report.predicate_type[:120]!a}"
    return _failed(report, trust, Failure.PREDICATE_UNSUPPORTED, text)


def _failed(report: Report, trust: Trust, code: Failure, text: str, cause: Failure | None = None) -> Failed:
    return Failed(
        code,
        text,
        cause=cause,
        claims=report.claims,
        method=report.method,
        sign_time=report.sign_time,
        trust_revision=trust.revision,
    )


@lru_cache(maxsize=4096)
def _key_id(pem: str) -> str:
    """Return the id of a public key, empty for one that cannot be used."""
    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return ""
    digest = Hash(SHA256())
    digest.update(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return f"sha256:{digest.finalize().hex()}"
