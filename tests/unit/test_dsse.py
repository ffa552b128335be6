"""Envelopes signed with a registered key: what is accepted, and what is refused with which code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from release_passport.v1 import evidence_pb2
from release_passport_server.adapters.dsse import DSSEVerifier, VerifiedEnvelope, verify_envelope
from release_passport_server.domain.attestation import AttestationResult
from release_passport_server.domain.evidence import Verification
from support.data import sample
from support.dsse import Signer, ed25519_signer, envelope, p256_signer, provenance, sign, statement

DIGEST = "sha256:" + "1f" * 32
OTHER_DIGEST = "sha256:" + "2e" * 32
SIGNER = p256_signer()
OTHER = p256_signer()
VERIFIER = DSSEVerifier()
STATEMENT = statement(DIGEST, provenance())


def verify(bundle: bytes, *keys: str, digest: str = DIGEST, kind: str = "") -> AttestationResult:
    return VERIFIER.verify(bundle, digest, keys or (SIGNER.pem,), kind=kind)


def code(result: AttestationResult) -> str:
    assert result.state is Verification.FAILED
    assert result.facts is None
    assert result.facts_kind == ""
    return result.reason.partition(":")[0]


def key_id(signer: Signer) -> str:
    der = signer.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("signer", [p256_signer(), ed25519_signer()], ids=["P-256", "Ed25519"])
def test_an_envelope_signed_with_a_registered_key_is_verified(signer: Signer) -> None:
    result = verify(sign(signer, STATEMENT), OTHER.pem, signer.pem)
    assert result.state is Verification.VERIFIED
    assert result.reason == ""
    assert result.signer == f"key:{key_id(signer)}" == VERIFIER.key_signer(signer.pem)
    assert result.facts_kind == "provenance"


def test_the_payload_is_returned_byte_for_byte() -> None:
    verified = verify_envelope(sign(SIGNER, STATEMENT), [SIGNER.pem])
    assert isinstance(verified, VerifiedEnvelope)
    assert verified.payload == STATEMENT


def test_both_alphabets_of_base_64_are_read() -> None:
    body = envelope(SIGNER, STATEMENT)
    body["payload"] = base64.urlsafe_b64encode(STATEMENT).decode()
    assert verify(json.dumps(body).encode()).state is Verification.VERIFIED


def test_one_good_signature_among_others_is_enough() -> None:
    body, other = envelope(SIGNER, STATEMENT), envelope(OTHER, STATEMENT)
    body["signatures"] = [*other["signatures"], *body["signatures"]]  # type: ignore[misc]
    assert verify(json.dumps(body).encode()).signer == f"key:{key_id(SIGNER)}"


def test_a_key_id_is_a_hint_and_proves_nothing() -> None:
    assert code(verify(sign(OTHER, STATEMENT, key_id=key_id(SIGNER)))) == "SIGNATURE_INVALID"
    assert verify(sign(SIGNER, STATEMENT, key_id="anything")).state is Verification.VERIFIED
    assert verify(sign(SIGNER, STATEMENT, key_id="")).state is Verification.VERIFIED


def test_an_unregistered_key_is_not_trusted_however_good_its_signature() -> None:
    result = verify(sign(OTHER, STATEMENT))
    assert code(result) == "NO_TRUSTED_KEY"
    assert result.signer == ""


def test_without_registered_keys_nothing_is_trusted() -> None:
    assert code(VERIFIER.verify(sign(SIGNER, STATEMENT), DIGEST, [])) == "NO_TRUSTED_KEY"
    assert code(verify(sign(SIGNER, STATEMENT), "not a key")) == "NO_TRUSTED_KEY"


def test_a_tampered_payload_is_refused() -> None:
    body = envelope(SIGNER, STATEMENT, key_id=key_id(SIGNER))
    body["payload"] = base64.b64encode(statement(OTHER_DIGEST, provenance())).decode()
    assert code(verify(json.dumps(body).encode(), digest=OTHER_DIGEST)) == "SIGNATURE_INVALID"


def test_a_signature_without_the_pre_authentication_encoding_is_refused() -> None:
    body = envelope(SIGNER, STATEMENT)
    body["signatures"] = [{"sig": base64.b64encode(SIGNER.sign(STATEMENT)).decode()}]
    assert code(verify(json.dumps(body).encode())) == "NO_TRUSTED_KEY"


def test_another_payload_type_is_refused_though_it_is_signed() -> None:
    body = envelope(SIGNER, STATEMENT, payload_type="application/json")
    assert code(verify(json.dumps(body).encode())) == "PAYLOAD_TYPE"
    body["payloadType"] = "application/vnd.in-toto+json"
    assert code(verify(json.dumps(body).encode())) == "NO_TRUSTED_KEY"


def test_a_statement_about_another_artifact_is_refused_and_names_its_signer() -> None:
    result = verify(sign(SIGNER, STATEMENT), digest=OTHER_DIGEST)
    assert code(result) == "SUBJECT_MISMATCH"
    assert result.signer == f"key:{key_id(SIGNER)}"


@pytest.mark.parametrize(
    "digest", ["", "sha256:", DIGEST[7:], DIGEST.upper(), DIGEST + "\n", "sha512:" + "1f" * 32]
)
def test_an_odd_subject_digest_matches_nothing(digest: str) -> None:
    assert code(verify(sign(SIGNER, STATEMENT), digest=digest)) == "SUBJECT_MISMATCH"


def _changed(**changes: Any) -> bytes:
    body: dict[str, Any] = {**envelope(SIGNER, STATEMENT), **changes}
    return json.dumps({name: value for name, value in body.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{}",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 65 + b"]" * 65,
        b'{"payload": NaN}',
        b'{"payload": 1' + b"0" * 5000 + b"}",
        b'{"payload": "\\ud800"}',
        b" " * (1024 * 1024 + 1),
        sign(SIGNER, STATEMENT).replace(b'"payload":', b'"payload": "", "payload":'),
        sign(SIGNER, STATEMENT) + sign(SIGNER, STATEMENT),
        _changed(payload=...),
        _changed(payload=5),
        _changed(payload=""),
        _changed(payload="!!!!"),
        _changed(payload="ﾁ"),
        _changed(payloadType=None),
        _changed(signatures=...),
        _changed(signatures=[]),
        _changed(signatures={}),
        _changed(signatures=["x"]),
        _changed(signatures=[{}]),
        _changed(signatures=[{"sig": "!"}]),
        _changed(signatures=[{"sig": "AAAA", "keyid": 5}]),
        _changed(signatures=[{"sig": "AAAA"}] * 9),
    ],
)
def test_a_malformed_envelope_is_refused(raw: bytes) -> None:
    assert code(verify(raw)) == "ENVELOPE_MALFORMED"


def _statement(change: Callable[[dict[str, Any]], object]) -> bytes:
    body = json.loads(STATEMENT)
    change(body)
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "payload",
    [
        b"not JSON",
        b"[]",
        b"{}",
        STATEMENT[:-1],
        STATEMENT.replace(b'"subject":', b'"subject": [], "subject":'),
        STATEMENT.replace(b'"predicate": {', b'"predicate": {"a": ' + b"[" * 100 + b"]" * 100 + b","),
        _statement(lambda s: s.update(_type="https://in-toto.io/Statement/v2")),
        _statement(lambda s: s.update(subject=[])),
        _statement(lambda s: s.update(subject=["x"])),
        _statement(lambda s: s["subject"][0].pop("digest")),
        _statement(lambda s: s["subject"][0].update(digest={"sha256": "1F" * 32})),
        _statement(lambda s: s["subject"][0].update(digest={"sha256": 5})),
        _statement(lambda s: s.pop("predicateType")),
        _statement(lambda s: s.update(predicate=[])),
        _statement(lambda s: s["predicate"]["runDetails"].pop("builder")),
        _statement(lambda s: s["predicate"]["runDetails"]["builder"].update(id="x" * 257)),
        _statement(lambda s: s["predicate"]["runDetails"]["builder"].update(id="a\x1b[2Jb")),
    ],
)
def test_a_malformed_statement_is_refused_though_it_is_signed(payload: bytes) -> None:
    assert code(verify(sign(SIGNER, payload))) == "STATEMENT_MALFORMED"


def test_a_subject_with_other_digests_alone_matches_nothing() -> None:
    payload = _statement(
        lambda s: s["subject"][0].update(digest={"sha512": "1f" * 64, "gitCommit": "a" * 40})
    )
    assert code(verify(sign(SIGNER, payload))) == "SUBJECT_MISMATCH"


def test_any_of_several_subjects_will_do() -> None:
    payload = _statement(lambda s: s["subject"].append({"digest": {"sha256": OTHER_DIGEST[7:]}}))
    for digest in (DIGEST, OTHER_DIGEST):
        assert verify(sign(SIGNER, payload), digest=digest).state is Verification.VERIFIED


def test_an_unknown_predicate_type_has_no_facts() -> None:
    payload = statement(DIGEST, {}, predicate_type="https://example.com/anything/v1")
    assert code(verify(sign(SIGNER, payload))) == "PREDICATE_UNSUPPORTED"


@pytest.mark.parametrize("suffix", ["", ".1", "\n", "/", "?"])
def test_a_predicate_type_is_matched_to_its_end(suffix: str) -> None:
    payload = statement(DIGEST, provenance(), predicate_type="https://slsa.dev/provenance/v1" + suffix)
    result = verify(sign(SIGNER, payload))
    assert (result.state is Verification.VERIFIED) is (suffix == "")


def test_facts_sent_under_another_kind_are_refused() -> None:
    assert code(verify(sign(SIGNER, STATEMENT), kind="sbom")) == "KIND_MISMATCH"
    assert verify(sign(SIGNER, STATEMENT), kind="provenance").state is Verification.VERIFIED


def test_a_signature_is_vouched_for_whatever_the_statement_says() -> None:
    payload = statement(DIGEST, {}, predicate_type="https://example.com/anything/v1")
    result = verify(sign(SIGNER, payload), kind="signature")
    signer = key_id(SIGNER)
    assert result == AttestationResult(
        Verification.VERIFIED,
        signer=f"key:{signer}",
        facts_kind="signature",
        facts=evidence_pb2.Signature(
            signer=f"key:{signer}",
            key_id=signer,
            format="application/vnd.dsse.envelope.v1+json",
            transparency_logged=False,
        ),
    )
    assert code(verify(sign(SIGNER, payload), digest=OTHER_DIGEST, kind="signature")) == "SUBJECT_MISMATCH"


def _pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "x" * 5000,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        SIGNER.pem + OTHER.pem,
        SIGNER.pem.replace("PUBLIC KEY", "CERTIFICATE"),
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(rsa.generate_private_key(65537, 2048)),
        "\x00",
        "ключ",
    ],
)
def test_a_key_that_cannot_verify_is_not_registered(pem: str) -> None:
    assert VERIFIER.key_problem(pem)
    assert VERIFIER.key_problem(SIGNER.pem) is None


@given(st.binary(max_size=300))
def test_no_bytes_make_verification_fail_otherwise(raw: bytes) -> None:
    assert verify(raw).state is Verification.FAILED


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["provenance/v1", "provenance/v0.2", "verification_summary/v1"]))
def test_no_signed_predicate_makes_verification_raise(data: st.DataObject, name: str) -> None:
    predicate: dict[str, Any] = json.loads(json.dumps(provenance()))
    spot: Any = predicate
    while isinstance(spot, dict) and spot:
        key = data.draw(st.sampled_from(sorted(spot)))
        if data.draw(st.booleans()) or not isinstance(spot[key], dict):
            spot[key] = data.draw(_json)
            break
        spot = spot[key]
    payload = statement(DIGEST, predicate, predicate_type=f"https://slsa.dev/{name}")
    verify(sign(SIGNER, payload))


def test_with_very_many_keys_an_envelope_names_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_passport_server.adapters.dsse.envelope.MAX_TRIES", 3)
    keys = [*(p256_signer().pem for _ in range(3)), SIGNER.pem]
    result = verify(sign(SIGNER, STATEMENT), *keys)
    assert code(result) == "NO_TRUSTED_KEY"
    assert "keyid" in result.reason
    assert verify(sign(SIGNER, STATEMENT, key_id=key_id(SIGNER)), *keys).state is Verification.VERIFIED


def _corpus() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(sample("provenance/index.json").read_text())["entries"]
    return entries


def _sample(name: str) -> Path:
    return sample(f"provenance/{name}")


@pytest.mark.parametrize(
    ("name", "verified"), [("mini-key-bundle", True), ("mini-key-bundle-wrong-key", False)]
)
def test_an_envelope_made_by_other_code_is_verified_with_the_right_key_alone(
    name: str, verified: bool
) -> None:
    entry = next(entry for entry in _corpus() if entry["file"] == f"bundles/{name}.json")
    inner = json.dumps(json.loads(_sample(entry["file"]).read_text())["dsseEnvelope"]).encode()
    result = verify(inner, _sample(entry["key"]).read_text(), digest=entry["artifact_digest"])
    assert (result.state is Verification.VERIFIED) is verified
    if not verified:
        assert code(result) in {"NO_TRUSTED_KEY", "SIGNATURE_INVALID"}


def test_no_sigstore_bundle_passes_as_verified() -> None:
    entries = _corpus()
    keys = [path.read_text() for path in _sample("keys").glob("*.pem")]
    for entry in entries:
        result = VERIFIER.verify(_sample(entry["file"]).read_bytes(), entry["artifact_digest"] or "", keys)
        broken = "not-json" in entry["file"]
        assert code(result) == ("ENVELOPE_MALFORMED" if broken else "BUNDLE_UNSUPPORTED"), entry["file"]
