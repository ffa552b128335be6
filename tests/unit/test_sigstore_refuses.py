"""Bundles that are bad, each in one way, and the code that says which."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from release_passport_server.adapters.sigstore.checks.bundle import InclusionProof
from release_passport_server.adapters.sigstore.checks.library import inclusion_is_good
from release_passport_server.adapters.sigstore.root_file import read_root
from release_passport_server.domain.attestation import AttestationFailure, Failed, Verified
from release_passport_server.domain.trust import Trust, TrustedKey, TrustedRootMismatch
from support.dsse import Signer
from support.minisigstore import How, Identity, Leaf, MiniSigstore, Spans, as_bytes
from support.minisigstore_log import leaf_hash, node_hash
from support.sigstore import (
    ARTIFACT,
    DIGEST,
    MINI,
    OTHER_DIGEST,
    WHO,
    about,
    changed,
    code,
    pinned,
    rule,
    trust,
    verify,
)
from support.tree import SERVER

MATERIAL = "verificationMaterial"
GOOD = MINI.bundle(WHO, about())
TILED = MINI.bundle(WHO, about(), How(rekor=2))
OTHER = MINI.bundle(WHO, about({"other": True}))
ENTRY = (MATERIAL, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")


def flipped(bundle: dict[str, Any], *path: str | int) -> dict[str, Any]:
    """Return the bundle with the last bit of a value in base 64 turned."""
    place: Any = bundle
    for step in path:
        place = place[step]
    value = base64.b64decode(place)
    return changed(bundle, *path, to=base64.b64encode(value[:-1] + bytes([value[-1] ^ 1])).decode())


def checkpoint(bundle: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    text = bundle[MATERIAL]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]
    assert old in text
    return changed(bundle, *PROOF, "checkpoint", "envelope", to=text.replace(old, new, 1))


LATE = MINI.when + timedelta(minutes=11)
CASES: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "not JSON": (b"{", "BUNDLE_MALFORMED"),
    "not an object": (b"[]", "BUNDLE_MALFORMED"),
    "a key twice": (as_bytes(GOOD).replace(b"{", b'{"mediaType":"",', 1), "BUNDLE_MALFORMED"),
    "an unknown field": (changed(GOOD, "more", to=1), "BUNDLE_MALFORMED"),
    "another media type": (changed(GOOD, "mediaType", to="application/json"), "BUNDLE_UNSUPPORTED"),
    "a later version": (
        changed(GOOD, "mediaType", to="application/vnd.dev.sigstore.bundle.v0.4+json"),
        "BUNDLE_UNSUPPORTED",
    ),
    "no content": (changed(GOOD, "dsseEnvelope", to=...), "BUNDLE_MALFORMED"),
    "no signer": (changed(GOOD, MATERIAL, "certificate", to=...), "BUNDLE_MALFORMED"),
    "two signers": (changed(GOOD, MATERIAL, "publicKey", to={"hint": "x"}), "BUNDLE_MALFORMED"),
    "not base 64": (changed(GOOD, "dsseEnvelope", "payload", to="%%%"), "BUNDLE_MALFORMED"),
    "two signatures": (
        changed(GOOD, "dsseEnvelope", "signatures", to=GOOD["dsseEnvelope"]["signatures"] * 2),
        "ENVELOPE_MALFORMED",
    ),
    "no signature": (changed(GOOD, "dsseEnvelope", "signatures", to=[]), "ENVELOPE_MALFORMED"),
    "another payload type": (MINI.bundle(WHO, about(), How(payload_type="text/plain")), "PAYLOAD_TYPE"),
    "no log entry": (MINI.bundle(WHO, about(), How(rekor=0)), "LOG_ENTRY_MISSING"),
    "two log entries": (
        changed(GOOD, MATERIAL, "tlogEntries", to=GOOD[MATERIAL]["tlogEntries"] * 2),
        "BUNDLE_UNSUPPORTED",
    ),
    "another instance": (MiniSigstore(org="other.test").bundle(WHO, about()), "LOG_UNKNOWN"),
    "an unknown log": (flipped(GOOD, *ENTRY, "logId", "keyId"), "LOG_UNKNOWN"),
    "a promise of another entry": (flipped(GOOD, *ENTRY, "canonicalizedBody"), "LOG_PROMISE_INVALID"),
    "a promise of another time": (
        changed(GOOD, *ENTRY, "integratedTime", to=str(int(LATE.timestamp()))),
        "LOG_PROMISE_INVALID",
    ),
    "no promise in version 0.1": (
        MINI.bundle(WHO, about(), How(version="0.1", promise=False, stamped=True)),
        "LOG_PROMISE_INVALID",
    ),
    "no time": (MINI.bundle(WHO, about(), How(promise=False)), "TIME_MISSING"),
    "no timestamp": (MINI.bundle(WHO, about(), How(rekor=2, stamped=False)), "TIME_MISSING"),
    "a timestamp that is none": (
        changed(
            TILED,
            MATERIAL,
            "timestampVerificationData",
            to={"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]},
        ),
        "TIMESTAMP_MALFORMED",
    ),
    "a timestamp twice": (
        changed(
            TILED,
            *(MATERIAL, "timestampVerificationData", "rfc3161Timestamps"),
            to=TILED[MATERIAL]["timestampVerificationData"]["rfc3161Timestamps"] * 2,
        ),
        "TIMESTAMP_MALFORMED",
    ),
    "a timestamp of another signature": (
        changed(
            TILED,
            *(MATERIAL, "timestampVerificationData"),
            to=MINI.bundle(WHO, about(), How(rekor=2))[MATERIAL]["timestampVerificationData"],
        ),
        "TIMESTAMP_UNTRUSTED",
    ),
    "a certificate that is none": (
        changed(GOOD, MATERIAL, "certificate", "rawBytes", to="AAAA"),
        "CERTIFICATE_MALFORMED",
    ),
    "logged too late": (MINI.bundle(WHO, about(), logged_at=LATE), "CERTIFICATE_EXPIRED"),
    "logged too early": (
        MINI.bundle(WHO, about(), logged_at=MINI.when - timedelta(seconds=1)),
        "CERTIFICATE_EXPIRED",
    ),
    "stamped too late": (MINI.bundle(WHO, about(), How(rekor=2), logged_at=LATE), "CERTIFICATE_EXPIRED"),
    "a certificate of another authority": (
        changed(
            GOOD,
            *(MATERIAL, "certificate"),
            to=MiniSigstore(org="other.test").bundle(WHO, about())[MATERIAL]["certificate"],
        ),
        "CERTIFICATE_UNTRUSTED",
    ),
    "no SCT": (MINI.bundle(WHO, about(), How(leaf=Leaf(scts=0))), "SCT_MISSING"),
    "two SCTs": (MINI.bundle(WHO, about(), How(leaf=Leaf(scts=2))), "SCT_INVALID"),
    "a certificate for a server": (
        MINI.bundle(WHO, about(), How(leaf=Leaf(usage=ExtendedKeyUsageOID.SERVER_AUTH))),
        "CERTIFICATE_UNSUITABLE",
    ),
    "a certificate that may not sign": (
        MINI.bundle(WHO, about(), How(leaf=Leaf(digital_signature=False))),
        "CERTIFICATE_UNSUITABLE",
    ),
    "two identities": (
        MINI.bundle(WHO, about(), How(leaf=Leaf(more_names=("https://github.com/evil/app",)))),
        "CERTIFICATE_UNSUITABLE",
    ),
    "two issuers": (
        MINI.bundle(WHO, about(), How(leaf=Leaf(other_issuer="https://evil.example"))),
        "CERTIFICATE_UNSUITABLE",
    ),
    "no proof": (MINI.bundle(WHO, about(), How(proof=False)), "LOG_PROOF_MISSING"),
    "no checkpoint": (changed(GOOD, *PROOF, "checkpoint", to=...), "LOG_PROOF_MISSING"),
    "another root hash": (flipped(GOOD, *PROOF, "rootHash"), "LOG_PROOF_INVALID"),
    "a proof too short": (changed(GOOD, *PROOF, "hashes", to=[]), "LOG_PROOF_INVALID"),
    "a hash of another length": (changed(GOOD, *PROOF, "hashes", 0, to="AAAA"), "LOG_PROOF_INVALID"),
    "an index outside of the tree": (
        changed(GOOD, *PROOF, "logIndex", to=str(2**40)),
        "LOG_PROOF_INVALID",
    ),
    "a checkpoint of another tree": (
        changed(
            GOOD, *PROOF, "checkpoint", to=OTHER[MATERIAL]["tlogEntries"][0]["inclusionProof"]["checkpoint"]
        ),
        "LOG_CHECKPOINT_INVALID",
    ),
    "a checkpoint of another size": (checkpoint(TILED, "\n", "\n1"), "LOG_CHECKPOINT_INVALID"),
    "a checkpoint without signature": (checkpoint(TILED, "\u2014", "-"), "LOG_CHECKPOINT_INVALID"),
    "the entry of another signature": (
        changed(GOOD, MATERIAL, "tlogEntries", to=MINI.bundle(WHO, about())[MATERIAL]["tlogEntries"]),
        "LOG_ENTRY_MISMATCH",
    ),
    "another kind than the entry's": (
        changed(GOOD, *ENTRY, "kindVersion", "kind", to="rpm"),
        "LOG_ENTRY_UNSUPPORTED",
    ),
    "a payload that was changed": (
        changed(
            GOOD, "dsseEnvelope", "payload", to=base64.b64encode(json.dumps(about({})).encode()).decode()
        ),
        "SIGNATURE_INVALID",
    ),
    "a payload type that was changed": (
        changed(GOOD, "dsseEnvelope", "payloadType", to="text/plain"),
        "SIGNATURE_INVALID",
    ),
    "the certificate of another signature": (
        changed(GOOD, MATERIAL, "certificate", to=MINI.bundle(WHO, about())[MATERIAL]["certificate"]),
        "SIGNATURE_INVALID",
    ),
    "no statement": (MINI.bundle(WHO, {"a": 1}), "STATEMENT_MALFORMED"),
    "a statement of version 2": (
        MINI.bundle(WHO, {**about(), "_type": "https://in-toto.io/Statement/v2"}),
        "STATEMENT_MALFORMED",
    ),
    "no subject": (MINI.bundle(WHO, {**about(), "subject": []}), "STATEMENT_MALFORMED"),
    "thousands of subjects": (
        MINI.bundle(WHO, {**about(), "subject": [{"digest": {"sha256": DIGEST[7:]}}] * 2000}),
        "STATEMENT_MALFORMED",
    ),
    "provenance without a builder": (MINI.bundle(WHO, about({})), "STATEMENT_MALFORMED"),
    "an unknown predicate": (
        MINI.bundle(WHO, about({}, "https://acme.example/review/v1")),
        "PREDICATE_UNSUPPORTED",
    ),
    "another artifact": (MINI.bundle(WHO, b"another artifact"), "SUBJECT_MISMATCH"),
    "a statement about another artifact": (MINI.bundle(WHO, about(digest=OTHER_DIGEST)), "SUBJECT_MISMATCH"),
    "an Ed25519 signature over an artifact": (
        {**MINI.bundle(WHO, ARTIFACT), MATERIAL: MINI.bundle(WHO, about(), How(curve=None))[MATERIAL]},
        "KEY_UNSUPPORTED",
    ),
    "a fork": (
        MINI.bundle(Identity.github("evil/checkout"), about()),
        "SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH",
    ),
    "another issuer": (
        MINI.bundle(replace(WHO, issuer="https://gitlab.example"), about()),
        "SIGNER_NOT_TRUSTED: ISSUER_MISMATCH",
    ),
    "a key that is not registered": (
        MINI.key_bundle(ec.generate_private_key(ec.SECP256R1()), about()),
        "NO_TRUSTED_KEY",
    ),
}


@pytest.mark.parametrize(("bundle", "wanted"), CASES.values(), ids=list(CASES))
def test_each_fault_has_its_code(bundle: dict[str, Any] | bytes, wanted: str) -> None:
    assert code(verify(bundle)) == wanted


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [
        (Spans(log=MINI.when), "LOG_KEY_RETIRED"),
        (Spans(ct_log=MINI.when - timedelta(seconds=1)), "CT_KEY_RETIRED"),
        (Spans(authority=MINI.when), "CA_RETIRED"),
        (Spans(timestamps=MINI.when), "TIMESTAMP_UNTRUSTED"),
    ],
)
def test_what_was_retired_before_the_signature_does_not_count(spans: Spans, wanted: str) -> None:
    assert code(verify(TILED, trust(spans=spans))) == wanted
    if spans.timestamps is None:
        assert code(verify(GOOD, trust(spans=spans))) == wanted


@pytest.mark.parametrize("part", ["log", "ct_log", "authority", "timestamps"])
def test_the_last_moment_still_counts(part: str) -> None:
    spans = Spans(**{part: MINI.when + timedelta(seconds=0 if part == "ct_log" else 5)})
    assert isinstance(verify(TILED, trust(spans=spans)), Verified)


def test_a_log_key_that_is_not_yet_valid_does_not_count() -> None:
    root = json.loads(MINI.trusted_root())
    for log in root["tlogs"]:
        log["publicKey"]["validFor"] = {"start": (MINI.when + timedelta(days=1)).isoformat()}
    given = replace(trust(), roots=(pinned(json.dumps(root).encode()),))
    assert code(verify(GOOD, given)) == "LOG_KEY_RETIRED"


def test_a_certificate_of_an_unknown_transparency_log_is_refused() -> None:
    root = json.loads(MINI.trusted_root())
    root["ctlogs"] = json.loads(MiniSigstore(org="other.test").trusted_root())["ctlogs"]
    given = replace(trust(), roots=(pinned(json.dumps(root).encode()),))
    assert code(verify(GOOD, given)) == "SCT_LOG_UNKNOWN"
    root["ctlogs"][0]["logId"]["keyId"] = base64.b64encode(MINI.authority.ct_log_id).decode()
    given = replace(trust(), roots=(pinned(json.dumps(root).encode()),))
    assert code(verify(GOOD, given)) == "SCT_INVALID"


def test_without_a_root_nothing_is_trusted() -> None:
    assert code(verify(GOOD, Trust(rules=(rule(),)))) == "NO_TRUSTED_ROOT"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"mediaType": "x"}', b"\xff"])
def test_a_root_that_cannot_be_read_is_named(content: bytes) -> None:
    given = Trust(roots=(pinned(content),), rules=(rule(),))
    found = verify(GOOD, given)
    assert code(found) == "TRUSTED_ROOT_INVALID"
    assert isinstance(found, Failed)
    assert hashlib.sha256(content).hexdigest() in found.text


def test_a_root_is_what_was_pinned_or_nothing(tmp_path: Any) -> None:
    path = tmp_path / "root.json"
    path.write_bytes(MINI.trusted_root())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (
        read_root(path, digest) == read_root(path, f"sha256:{digest}") == pinned(path.read_bytes(), str(path))
    )
    path.write_bytes(MiniSigstore(org="evil.test").trusted_root())
    with pytest.raises(TrustedRootMismatch, match=digest):
        read_root(path, digest)


def test_a_key_that_a_bundle_names_must_have_signed_it() -> None:
    named, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    given = trust(keys=(TrustedKey("release", Signer(named).pem), TrustedKey("broken", "no key")))
    hint = MINI.key_bundle(named, about())[MATERIAL]["publicKey"]["hint"]
    assert code(verify(MINI.key_bundle(other, about(), hint=hint), given)) == "SIGNATURE_INVALID"
    assert code(verify(MINI.key_bundle(other, about(), hint="x"), given)) == "NO_TRUSTED_KEY"


def test_a_log_entry_of_a_key_must_be_good_where_there_is_one() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    given = trust(keys=(TrustedKey("release", Signer(private).pem),))
    bundle = MINI.key_bundle(private, about())
    assert code(verify(flipped(bundle, *PROOF, "rootHash"), given)) == "LOG_PROOF_INVALID"
    other = MINI.key_bundle(private, about())[MATERIAL]["tlogEntries"]
    assert code(verify(changed(bundle, MATERIAL, "tlogEntries", to=other), given)) == "LOG_ENTRY_MISMATCH"
    spans = Spans(log=MINI.when - timedelta(days=1))
    assert code(verify(bundle, replace(trust(spans=spans), keys=given.keys))) == "LOG_KEY_RETIRED"


def test_a_failure_names_the_signer_once_the_signature_is_good() -> None:
    stranger = Identity.github("evil/checkout")
    found = verify(MINI.bundle(stranger, about()))
    assert isinstance(found, Failed)
    assert found.claims is not None
    assert found.claims.identity == stranger.san
    assert found.reason.startswith("SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH: the identity is ")
    bad = verify(flipped(GOOD, "dsseEnvelope", "signatures", 0, "sig"))
    assert isinstance(bad, Failed)
    assert bad.claims is None


def test_sent_as_another_kind_it_fails() -> None:
    assert code(verify(GOOD, kind="sbom")) == "KIND_MISMATCH"
    assert code(verify(MINI.bundle(WHO, ARTIFACT), kind="provenance")) == "KIND_MISMATCH"


def test_a_name_that_is_too_long_to_tell_items_by_is_refused() -> None:
    long = Identity.github("acme/checkout", workflow="w" * 200 + ".yml")
    bundle, given = MINI.bundle(long, about()), trust(rule(long))
    assert code(verify(bundle, given, kind="signature")) == "CERTIFICATE_UNSUITABLE"
    assert isinstance(verify(bundle, given), Verified)


def test_a_checkpoint_is_of_the_size_that_the_proof_says() -> None:
    proof = GOOD[MATERIAL]["tlogEntries"][0]["inclusionProof"]
    size, root = int(proof["treeSize"]), base64.b64decode(proof["rootHash"])
    for bundle_size, wanted in ((size, None), (size + 1, "LOG_CHECKPOINT_INVALID")):
        signed = MINI.rekor.checkpoint(bundle_size, root)
        found = verify(changed(GOOD, *PROOF, "checkpoint", "envelope", to=signed))
        assert isinstance(found, Verified) if wanted is None else code(found) == wanted


def test_a_proof_for_an_entry_outside_of_the_tree_proves_nothing() -> None:
    body, low, high = b"entry", b"\1" * 32, b"\2" * 32
    root = node_hash(high, node_hash(leaf_hash(body), low))
    inside = InclusionProof(2, 4, root, [low, high], "")
    assert inclusion_is_good(inside, body)
    assert not inclusion_is_good(replace(inside, tree_size=1), body)


def test_every_code_is_documented_and_no_other() -> None:
    text = (
        (SERVER / "adapters" / "sigstore" / "README.md").read_text(encoding="utf-8").partition("## Codes")[2]
    )
    assert re.findall("`([A-Z_]+)`", text) == [failure.value for failure in AttestationFailure]
