"""From the bytes of a bundle to a report on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from release_passport_server.adapters.sigstore.checks.agreement import agreed
from release_passport_server.adapters.sigstore.checks.bundle import Bundle, Envelope, read_bundle
from release_passport_server.adapters.sigstore.checks.keyed import verify_keyed
from release_passport_server.adapters.sigstore.checks.keyless import verify_keyless
from release_passport_server.adapters.sigstore.checks.proven import Proven
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.adapters.sigstore.checks.roots import Root, load_root
from release_passport_server.adapters.sigstore.report import Report
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.wire.intoto.predicates import check_derived, facts_of
from release_passport_server.wire.intoto.statement import StatementInvalid, read_statement

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def examine(raw: bytes, roots: Sequence[bytes], keys: Sequence[str]) -> Report:
    """Return what a bundle proves under these roots (JSON) and public keys (PEM); never raise for bad input."""
    try:
        bundle = read_bundle(raw)
    except Refused as refused:
        return Report(refused.failure, refused.text)
    try:
        return _stated(bundle, _verified(bundle, roots, keys))
    except Refused as refused:
        return Report(refused.failure, refused.text, media_type=bundle.media_type)


def _verified(bundle: Bundle, roots: Sequence[bytes], keys: Sequence[str]) -> Proven:
    """Return what the first root that has the entry's log proves."""
    candidates = _roots_for(bundle, roots)
    if not bundle.certificate:
        return verify_keyed(bundle, keys, candidates[0] if candidates else None)
    if not candidates:
        raise Refused(Failure.NO_TRUSTED_ROOT, "no trusted root is configured: pin one by its digest")
    first: Refused | None = None
    for root in candidates:
        try:
            return verify_keyless(bundle, root)
        except Refused as refused:
            first = first or refused
    assert first is not None
    raise first


def _roots_for(bundle: Bundle, roots: Sequence[bytes]) -> list[Root]:
    """Return the roots that have the log of the entry, all of them where none has."""
    loaded = []
    broken: Refused | None = None
    for content in roots:
        try:
            loaded.append(load_root(content))
        except Refused as refused:
            broken = refused
    knowing = [root for root in loaded if bundle.entries and root.log(bundle.entries[0].log_id) is not None]
    if broken is not None and not knowing:
        raise broken
    return knowing or loaded[:1]


def _stated(bundle: Bundle, proven: Proven) -> Report:
    """Return the report of a good signature, with what its statement says."""
    if not isinstance(bundle.content, Envelope):
        return _report(bundle, proven, subjects=proven.subjects)
    if bundle.content.payload_type != PAYLOAD_TYPE:
        return _report(bundle, proven, failure=Failure.PAYLOAD_TYPE, text=f"must be {PAYLOAD_TYPE}")
    try:
        statement = read_statement(bundle.content.payload)
    except StatementInvalid as error:
        return _report(bundle, proven, failure=Failure.STATEMENT_MALFORMED, text=str(error))
    about: dict[str, Any] = {
        "subjects": statement.subjects,
        "predicate_type": statement.predicate_type[:1024],
    }
    found = facts_of(statement)
    if found is None:
        return _report(bundle, proven, **about)
    message = agreed(found.message, proven.claims)
    try:
        check_derived(found.kind, message)
    except StatementInvalid as error:
        # Whoever asks for the signature alone does not mind.
        return _report(bundle, proven, statement_problem=str(error), **about)
    facts, time = message.SerializeToString(), found.time
    return _report(bundle, proven, kind=found.kind, facts=facts, statement_time=time, **about)


def _report(bundle: Bundle, proven: Proven, **stated: Any) -> Report:
    return Report(
        claims=proven.claims,
        method=proven.method,
        sign_time=proven.sign_time,
        log_index=proven.log_index,
        root=proven.root,
        media_type=bundle.media_type,
        **stated,
    )
