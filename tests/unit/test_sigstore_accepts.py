"""Bundles that are good, in each form that there is: who signed, how that is known, when, and what is said."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from google.protobuf import json_format
from google.protobuf.message import Message

from release_passport_server.domain.attestation import SignerClaims, Verified
from release_passport_server.domain.trust import TrustedKey
from support.dsse import Signer, provenance
from support.minisigstore import How, Identity, MiniSigstore, statement
from support.sigstore import ARTIFACT, DIGEST, MINI, SLSA, WHO, about, pinned, rule, trust, verify

SIGNED = MINI.when + timedelta(seconds=5)


def good(bundle: dict[str, Any], *args: Any, **kwargs: Any) -> Verified:
    result = verify(bundle, *args, **kwargs)
    assert isinstance(result, Verified), result.reason
    return result


def facts(result: Verified) -> dict[str, Any]:
    assert isinstance(result.facts, Message)
    found: dict[str, Any] = json_format.MessageToDict(result.facts, preserving_proto_field_name=True)
    return found


FORMS: list[tuple[dict[str, Any], str]] = [
    ({}, "rekor-v1"),
    ({"stamped": True}, "rekor-v1+tsa"),
    ({"kind": "intoto"}, "rekor-v1"),
    ({"kind": "hashedrekord"}, "rekor-v1"),
    ({"curve": ec.SECP384R1()}, "rekor-v1"),
    ({"curve": None}, "rekor-v1"),
    ({"rekor": 2}, "rekor-v2+tsa"),
    ({"rekor": 2, "kind": "dsse/0.0.2"}, "rekor-v2+tsa"),
    ({"rekor": 2, "curve": ec.SECP384R1()}, "rekor-v2+tsa"),
]
VERSIONS = [(version, *form) for version in ("0.1", "0.2", "0.3") for form in FORMS]


# Version 0.1 is older than logs that promise nothing.
@pytest.mark.parametrize(
    ("version", "how", "method"), [one for one in VERSIONS if one[0] != "0.1" or "rekor" not in one[1]]
)
def test_a_statement_is_verified_in_every_form(version: str, how: dict[str, Any], method: str) -> None:
    result = good(MINI.bundle(WHO, about(), How(version=version, **how)))
    assert (result.method, result.kind) == (f"sigstore-bundle+{method}", "provenance")
    assert result.sign_time == SIGNED


@pytest.mark.parametrize(
    "how",
    [
        How(version="0.1"),
        How(version="0.2"),
        How(),
        How(rekor=2),
        How(curve=ec.SECP384R1()),
        How(message_digest=False),
        How(rekor=2, message_digest=False),
    ],
)
def test_an_artifact_is_verified_by_its_digest(how: How) -> None:
    digest = DIGEST
    if how.curve is not None and how.curve.name == "secp384r1":
        digest = f"sha384:{hashlib.sha384(ARTIFACT).hexdigest()}"
    result = good(MINI.bundle(WHO, ARTIFACT, how), digest=digest)
    assert (result.kind, result.subjects) == ("signature", (digest,))


def test_an_old_bundle_has_a_promise_and_no_proof() -> None:
    assert (
        good(MINI.bundle(WHO, about(), How(version="0.1", proof=False))).method == "sigstore-bundle+rekor-v1"
    )


def test_it_says_who_how_and_when() -> None:
    result = good(MINI.bundle(WHO, about()))
    base = "https://github.com/acme/checkout"
    workflow = f"{base}/.github/workflows/release.yml@refs/heads/main"
    assert result.claims == SignerClaims(
        issuer="https://token.actions.githubusercontent.com",
        identity=workflow,
        repository=base,
        repository_id="1001",
        owner_id="2002",
        ref="refs/heads/main",
        revision="a" * 40,
        workflow=workflow,
        builder=workflow,
        trigger="push",
        runner_environment="github-hosted",
        invocation=f"{base}/actions/runs/1/attempts/1",
    )
    assert result.claims.name == f"https://token.actions.githubusercontent.com {workflow}"
    assert result.vouchers == ("ci",)
    assert result.trust_revision == 7
    assert result.root == trust().roots[0].sha256
    assert result.log_index is not None
    assert result.predicate_type == SLSA


def test_certificates_from_before_2023_say_the_same() -> None:
    claims = good(MINI.bundle(WHO.only_old_claims(), about())).claims
    assert (claims.repository, claims.ref) == ("https://github.com/acme/checkout", "refs/heads/main")
    assert (claims.trigger, claims.revision) == ("push", "a" * 40)


def test_a_person_is_named_by_an_address() -> None:
    person = Identity("ada@acme.example", issuer="https://accounts.example")
    result = good(MINI.bundle(person, about()), trust(rule(person)))
    assert result.claims.name == "https://accounts.example ada@acme.example"


def test_facts_of_the_signature_are_there_for_the_asking() -> None:
    result = good(MINI.bundle(WHO, about()), kind="signature")
    assert result.kind == "signature"
    assert facts(result) == {
        "signer": WHO.san,
        "issuer": WHO.issuer,
        "repository_id": "1001",
        "workflow_ref": WHO.san,
        "format": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "sign_time": "2024-01-31T00:00:05Z",
        "transparency_logged": True,
        "log_index": str(result.log_index),
    }


def test_a_statement_of_an_unknown_kind_is_a_signature_all_the_same() -> None:
    bundle = MINI.bundle(WHO, about({}, "https://acme.example/review/v1"))
    assert good(bundle, kind="signature").kind == "signature"


def test_the_certificate_fills_in_what_provenance_leaves_out() -> None:
    bare: dict[str, Any] = {
        "buildDefinition": {"buildType": "https://b.example/t"},
        "runDetails": {"builder": {"id": "https://b.example/1"}},
    }
    found = facts(good(MINI.bundle(WHO, about(bare))))
    assert found["source_uri"] == "https://github.com/acme/checkout"
    assert found["source_ref"] == "refs/heads/main"
    assert found["runner_environment"] == "github-hosted"
    assert found["source_repository_id"] == "1001"


@pytest.mark.parametrize(
    ("stated", "missing"),
    [
        ({"ref": "refs/tags/v1"}, "source_ref"),
        ({"repository": "https://github.com/acme/other"}, "source_uri"),
        ({"commit": "b" * 40}, "source_revision"),
    ],
)
def test_what_provenance_and_certificate_say_differently_is_unknown(
    stated: dict[str, str], missing: str
) -> None:
    assert missing in facts(good(MINI.bundle(WHO, about())))
    assert missing not in facts(good(MINI.bundle(WHO, about(dict(provenance(**stated))))))


@pytest.mark.parametrize("version", ["v0.1", "v1"])
def test_statements_of_both_versions_are_read(version: str) -> None:
    content = statement({"a": DIGEST[7:]}, SLSA, dict(provenance()), version)
    assert good(MINI.bundle(WHO, content)).kind == "provenance"


def test_a_subject_may_be_named_by_sha_512() -> None:
    content = about()
    content["subject"] = [{"digest": {"sha512": "3f" * 64}}, {"digest": {"gitCommit": "a" * 40}}]
    digest = "sha512:" + "3f" * 64
    assert good(MINI.bundle(WHO, content), digest=digest).subjects == (digest,)


P256, ED25519 = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()


# An Ed25519 key has no hash of its own, which entries of Rekor v2 need.
@pytest.mark.parametrize(
    ("private", "rekor", "method"),
    [
        (P256, 0, ""),
        (P256, 1, "+rekor-v1"),
        (P256, 2, "+rekor-v2+tsa"),
        (ED25519, 0, ""),
        (ED25519, 1, "+rekor-v1"),
    ],
)
def test_a_bundle_of_a_long_lived_key_is_verified(private: Any, rekor: int, method: str) -> None:
    key = TrustedKey("release", Signer(private).pem)
    how = How(rekor=rekor, stamped=rekor == 2)
    result = good(MINI.key_bundle(private, about(), how), trust(keys=(key,)))
    assert result.claims.key_id.startswith("sha256:")
    assert result.claims.name == f"key:{result.claims.key_id}"
    assert result.vouchers == ("release",)
    assert result.method == f"sigstore-bundle+key{method}"
    assert (result.sign_time is not None) == bool(rekor)


@pytest.mark.parametrize("how", [How(kind="intoto", promise=False), How(rekor=2, stamped=False)])
def test_a_log_entry_without_a_time_proves_nothing_where_the_logs_key_has_an_end(how: How) -> None:
    given = trust(keys=(TrustedKey("release", Signer(P256).pem),))
    bundle = MINI.key_bundle(P256, about(), how)
    assert good(bundle, given).method == "sigstore-bundle+key"
    root = json.loads(MINI.trusted_root())
    for log in root["tlogs"]:
        del log["publicKey"]["validFor"]["end"]
    open_ended = replace(given, roots=(pinned(json.dumps(root).encode()),))
    result = good(bundle, open_ended)
    assert result.method == f"sigstore-bundle+key+rekor-v{how.rekor}"
    assert result.sign_time is None


def test_a_key_signs_artifacts_too() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    given = trust(keys=(TrustedKey("release", Signer(private).pem),))
    assert good(MINI.key_bundle(private, ARTIFACT, hint="anything"), given).kind == "signature"


def test_the_root_that_has_the_log_is_used() -> None:
    other = MiniSigstore(org="other.test")
    given = trust(mini=other)
    both = type(given)(7, (pinned(other.trusted_root()), pinned(MINI.trusted_root())), given.rules)
    result = good(MINI.bundle(WHO, about()), both)
    assert result.root == both.roots[1].sha256


def test_an_authority_is_found_by_its_key_and_not_by_its_name() -> None:
    root, decoy = json.loads(MINI.trusted_root()), json.loads(MiniSigstore().trusted_root())
    root["certificateAuthorities"].insert(0, decoy["certificateAuthorities"][0])
    given = replace(trust(), roots=(pinned(json.dumps(root).encode()),))
    good(MINI.bundle(WHO, about()), given)


def test_a_timestamp_of_a_stranger_does_no_harm_beside_a_good_time() -> None:
    bundle = MINI.bundle(WHO, about())
    foreign = MiniSigstore(org="other.test").bundle(WHO, about(), How(stamped=True))
    stamps = foreign["verificationMaterial"]["timestampVerificationData"]
    bundle["verificationMaterial"]["timestampVerificationData"] = stamps
    assert good(bundle).method == "sigstore-bundle+rekor-v1"
