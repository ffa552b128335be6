"""The verifier as the server has it: screening, the real pool, the cache, and what it may not touch."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from release_passport_server.adapters.dsse import DSSEVerifier
from release_passport_server.adapters.sigstore.cache import ReportCache
from release_passport_server.adapters.sigstore.pool import PoolSettings
from release_passport_server.adapters.sigstore.report import Report
from release_passport_server.adapters.sigstore.screen import MAX_BUNDLE_BYTES
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier
from release_passport_server.domain.attestation import AttestationFailure, Failed, Verified
from release_passport_server.domain.trust import Scope, TrustedKey
from release_passport_server.services.verify_envelope import VerifyEnvelope
from support.dsse import Signer, p256_signer, provenance, sign
from support.dsse import statement as dsse_statement
from support.minisigstore import How, Identity, MiniSigstore, as_bytes
from support.sigstore import DIGEST, MINI, OTHER_DIGEST, WHO, about, changed, code, rule, trust, verify

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = as_bytes(MINI.bundle(WHO, about()))
ENVELOPE = ("dsseEnvelope", "signatures")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verifier() -> AsyncIterator[SigstoreVerifier]:
    made = SigstoreVerifier(PoolSettings(workers=1))
    yield made
    await made.close()


async def test_a_process_finds_what_this_one_finds(verifier: SigstoreVerifier) -> None:
    for bundle in (
        MINI.bundle(WHO, about()),
        MINI.bundle(WHO, about(), How(rekor=2)),
        MINI.bundle(Identity.github("evil/checkout"), about()),
        MINI.bundle(WHO, about(), How(rekor=0)),
        {},
    ):
        given = trust()
        there = await verifier.verify(as_bytes(bundle), [DIGEST], given)
        assert there == verify(bundle, given)


async def test_a_bundle_is_examined_once_for_all_questions(
    verifier: SigstoreVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, given, runs = as_bytes(MINI.bundle(WHO, about())), trust(), []
    submit = verifier._pool.submit

    def counted(parts: list[bytes]) -> Any:
        runs.append(parts)
        return submit(parts)

    monkeypatch.setattr(verifier._pool, "submit", counted)
    results = await asyncio.gather(*(verifier.verify(bundle, [DIGEST], given) for _ in range(20)))
    assert {type(result) for result in results} == {Verified}
    assert code(await verifier.verify(bundle, [OTHER_DIGEST], given)) == "SUBJECT_MISMATCH"
    assert isinstance(await verifier.verify(bundle, [DIGEST], given, kind="signature"), Verified)
    assert len(runs) == 1
    # Another trusted root, key or revision is another question.
    other = trust(mini=MiniSigstore(org="other.test"))
    assert code(await verifier.verify(bundle, [DIGEST], other)) == "LOG_UNKNOWN"
    await verifier.verify(bundle, [DIGEST], replace(given, revision=8))
    await verifier.verify(bundle, [DIGEST], replace(given, keys=(TrustedKey("k", p256_signer().pem),)))
    assert len(runs) == 4


async def test_a_rule_that_is_withdrawn_counts_at_once(verifier: SigstoreVerifier) -> None:
    assert isinstance(await verifier.verify(GOOD, [DIGEST], trust()), Verified)
    stranger = trust(rule(Identity.github("acme/other")))
    assert code(await verifier.verify(GOOD, [DIGEST], stranger)) == "SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH"


async def test_a_broken_process_is_no_verdict_and_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SigstoreVerifier(PoolSettings(workers=1))
    monkeypatch.setattr(made._pool, "_module", "support.no_such_module")
    found = await made.verify(GOOD, [DIGEST], trust())
    assert code(found) == "VERIFIER_CRASHED"
    assert isinstance(found, Failed)
    assert not found.final
    monkeypatch.undo()
    assert isinstance(await made.verify(GOOD, [DIGEST], trust()), Verified)
    await made.close()
    assert code(await made.verify(GOOD + b" ", [DIGEST], trust())) == "VERIFIER_BUSY"


def _inflated(*path: str | int, to: Any) -> bytes:
    return as_bytes(changed(json.loads(GOOD), *path, to=to))


BOMBS = {
    "too long": (b'{"verificationMaterial":' + b" " * MAX_BUNDLE_BYTES, "BUNDLE_TOO_LARGE"),
    "deep lists": (b'{"verificationMaterial":' + b"[" * 1_000_000, "BUNDLE_TOO_LARGE"),
    "deep objects": (b'{"verificationMaterial":' + b'{"a":' * 150_000, "BUNDLE_TOO_LARGE"),
    "less deep lists": (b'{"verificationMaterial":' + b"[" * 900, "BUNDLE_MALFORMED"),
    "thousands of signatures": (
        _inflated(*ENVELOPE, to=[{"sig": "AA=="}] * 5000),
        "BUNDLE_TOO_LARGE",
    ),
    "hundreds of signatures": (_inflated(*ENVELOPE, to=[{"sig": "AA=="}] * 500), "BUNDLE_MALFORMED"),
    "many timestamps": (
        _inflated(
            *("verificationMaterial", "timestampVerificationData", "rfc3161Timestamps"),
            to=[{"signedTimestamp": "AA=="}] * 500,
        ),
        "BUNDLE_MALFORMED",
    ),
    "a long proof": (
        _inflated(
            *("verificationMaterial", "tlogEntries", 0, "inclusionProof", "hashes"), to=["AA=="] * 9000
        ),
        "BUNDLE_MALFORMED",
    ),
    "a huge number": (
        GOOD.replace(b'"logIndex": "', b'"logIndex": "' + b"9" * 500_000),
        "BUNDLE_MALFORMED",
    ),
    "a huge payload": (
        _inflated("dsseEnvelope", "payload", to=base64.b64encode(b"[" * 700_000).decode()),
        "SIGNATURE_INVALID",
    ),
}


@pytest.mark.parametrize(("bomb", "wanted"), BOMBS.values(), ids=list(BOMBS))
async def test_bombs_are_refused(verifier: SigstoreVerifier, bomb: bytes, wanted: str) -> None:
    found = await verifier.verify(bomb, [DIGEST], trust())
    assert code(found) == wanted


async def test_a_signed_bomb_is_refused(verifier: SigstoreVerifier) -> None:
    many = {**about(), "subject": [{"digest": {"sha256": f"{n:064x}"}} for n in range(6000)]}
    assert (
        code(await verifier.verify(as_bytes(MINI.bundle(WHO, many)), [DIGEST], trust()))
        == "STATEMENT_MALFORMED"
    )
    deep: Any = {}
    for _ in range(200):
        deep = {"a": deep}
    bundle = MINI.bundle(WHO, {**about(), "predicate": deep})
    assert code(await verifier.verify(as_bytes(bundle), [DIGEST], trust())) == "STATEMENT_MALFORMED"


async def test_envelopes_and_bundles_find_their_verifiers(verifier: SigstoreVerifier) -> None:
    signer = p256_signer()
    both = VerifyEnvelope(verifier, DSSEVerifier())
    given = trust(rule(), keys=(TrustedKey("release", signer.pem),))
    bundle = await both.verify(GOOD, [DIGEST], given)
    envelope = await both.verify(
        sign(signer, dsse_statement(DIGEST, provenance())), [OTHER_DIGEST, DIGEST], given
    )
    keyed = await both.verify(as_bytes(MINI.key_bundle(signer.private, about())), [DIGEST], given)
    assert isinstance(bundle, Verified)
    assert isinstance(envelope, Verified)
    assert isinstance(keyed, Verified)
    assert (envelope.method, envelope.vouchers, envelope.subjects) == ("dsse+key", ("release",), (DIGEST,))
    assert envelope.claims == keyed.claims
    assert envelope.claims.name == DSSEVerifier().key_signer(signer.pem)
    assert envelope.kind == bundle.kind == "provenance"


@pytest.mark.parametrize("form", ["envelope", "bundle"])
async def test_a_key_vouches_for_its_kinds_alone(verifier: SigstoreVerifier, form: str) -> None:
    signer, both = p256_signer(), VerifyEnvelope(verifier, DSSEVerifier())
    given = trust(keys=(TrustedKey("sboms", signer.pem, Scope(kinds=frozenset({"sbom"}))),))
    raw = sign(signer, dsse_statement(DIGEST, provenance()))
    if form == "bundle":
        raw = as_bytes(MINI.key_bundle(signer.private, about()))
    found = await both.verify(raw, [DIGEST], given)
    assert code(found) == "SIGNER_NOT_TRUSTED: KIND_NOT_VOUCHED"


async def test_a_bare_envelope_fails_with_its_own_codes(verifier: SigstoreVerifier) -> None:
    signer, both = p256_signer(), VerifyEnvelope(verifier, DSSEVerifier())
    given = trust(keys=(TrustedKey("release", signer.pem),))
    raw = sign(signer, dsse_statement(DIGEST, provenance()))
    assert code(await both.verify(raw, [OTHER_DIGEST], given)) == "SUBJECT_MISMATCH"
    assert code(await both.verify(raw, [], given)) == "SUBJECT_MISMATCH"
    assert code(await both.verify(raw, [DIGEST], trust())) == "NO_TRUSTED_KEY"
    assert code(await both.verify(raw, [DIGEST], given, kind="sbom")) == "KIND_MISMATCH"
    assert code(await both.verify(b"{}", [DIGEST], given)) == "ENVELOPE_MALFORMED"


async def test_the_cache_forgets_the_oldest_when_it_is_full() -> None:
    cache = ReportCache(max_bytes=3 * 4096 + 100)
    for name in "abc":
        cache.put(name, Report(text=name))
    assert cache.get("a") is not None
    cache.put("d", Report(text="d"))
    assert cache.get("b") is None
    assert [cache.get(name) is not None for name in "acd"] == [True, True, True]
    cache.put("big", Report(facts=b"x" * 20_000))
    assert len(cache) == 0


async def test_only_what_is_found_out_about_a_bundle_is_final() -> None:
    passing = [failure for failure in AttestationFailure if not Failed(failure, "").final]
    assert passing == [
        AttestationFailure.VERIFIER_BUSY,
        AttestationFailure.VERIFIER_TIMEOUT,
        AttestationFailure.VERIFIER_CRASHED,
    ]


async def test_a_signers_key_is_named_alike_by_both_verifiers() -> None:
    signer = Signer(p256_signer().private)
    found = verify(MINI.key_bundle(signer.private, about()), trust(keys=(TrustedKey("k", signer.pem),)))
    assert isinstance(found, Verified)
    assert found.claims.name == DSSEVerifier().key_signer(signer.pem)
