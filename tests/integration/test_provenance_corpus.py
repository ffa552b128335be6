"""Real and made bundles, good and bad, from many clients: each comes to the verdict that the specification gives."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from release_passport_server.adapters.dsse import DSSEVerifier
from release_passport_server.adapters.sigstore.pool import PoolSettings
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier
from release_passport_server.domain.attestation import Failed, Verified
from release_passport_server.domain.trust import Match, SignerRule, Trust, TrustedKey, TrustedRoot
from release_passport_server.services.verify_envelope import VerifyEnvelope
from support.data import sample

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Where the specification leaves no choice, the code as well: more than one where the faults are several.
CODES = {
    "conf-dsse-invalid-sig": "SIGNATURE_INVALID",
    "conf-dsse-mismatch-sig": "LOG_ENTRY_MISMATCH",
    "conf-integrated-time-in-future": "CERTIFICATE_EXPIRED",
    "conf-invalid-checkpoint-signature": "LOG_CHECKPOINT_INVALID",
    "conf-invalid-ct-key": "SCT_LOG_UNKNOWN",
    "conf-managed-key-wrong-key": "NO_TRUSTED_KEY",
    "conf-rekor2-dsse-mismatch-envelope": "LOG_ENTRY_MISMATCH",
    "conf-rekor2-timestamp-outside-tsa-cert-validity": "TIMESTAMP_UNTRUSTED",
    "conf-wrong-hashedrekord-cert-and-sig": "LOG_ENTRY_MISMATCH",
    "mini-branch-not-tag": "SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH",
    "mini-ca-retired": "CA_RETIRED",
    "mini-expired-cert": "CERTIFICATE_EXPIRED",
    "mini-fork-repo": "SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH",
    "mini-key-bundle-wrong-key": "NO_TRUSTED_KEY",
    "mini-no-sct": "SCT_MISSING",
    "mini-no-signed-time": "TIME_MISSING",
    "mini-no-tlog": "LOG_ENTRY_MISSING",
    "mini-other-instance": "LOG_UNKNOWN",
    "mini-swapped-cert": "SIGNATURE_INVALID",
    "mini-swapped-cert-and-tlog": "SIGNATURE_INVALID",
    "mini-swapped-tlog": "LOG_ENTRY_MISMATCH",
    "mini-tlog-key-retired": "LOG_KEY_RETIRED",
    "mini-tsa-expired-cert": "CERTIFICATE_EXPIRED",
    "real-wrong-digest": "SUBJECT_MISMATCH",
    "real-wrong-signer": "SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH",
    "tampered-not-json": "BUNDLE_MALFORMED",
    "tampered-subject-digest": "SIGNATURE_INVALID",
}


@cache
def corpus() -> Path:
    return sample("provenance/index.json").parent


@cache
def entries() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((corpus() / "index.json").read_text())["entries"]
    return listed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verifier() -> AsyncIterator[VerifyEnvelope]:
    bundles = SigstoreVerifier(PoolSettings(workers=2))
    yield VerifyEnvelope(bundles, DSSEVerifier())
    await bundles.close()


def trust_of(entry: dict[str, Any], **more: Any) -> Trust:
    """Return what trusts this entry's identity or key, and nobody else."""
    root = (corpus() / entry["trusted_root"]).read_bytes()
    pinned = TrustedRoot.pinned(entry["trusted_root"], hashlib.sha256(root).hexdigest(), root)
    rules: tuple[SignerRule, ...] = ()
    if entry["expected_identity"]:
        issuer, identity = Match(entry["expected_issuer"]), Match(entry["expected_identity"])
        rules = (SignerRule("expected", issuer, identity=identity, **more),)
    keys = (TrustedKey("expected", (corpus() / entry["key"]).read_text()),) if entry["key"] else ()
    return Trust(1, (pinned,), rules, keys)


def name_of(entry: dict[str, Any]) -> str:
    return Path(entry["file"]).stem


async def outcome(
    verifier: VerifyEnvelope, entry: dict[str, Any], given: Trust | None = None
) -> tuple[str, Verified | Failed]:
    raw = (corpus() / entry["file"]).read_bytes()
    asked = entry["artifact_digest"] or "sha256:" + "0" * 64
    kind = "" if entry["predicate_type"] else "signature"
    return name_of(entry), await verifier.verify(raw, [asked], given or trust_of(entry), kind=kind)


async def test_every_bundle_comes_to_its_verdict(verifier: VerifyEnvelope) -> None:
    found = await asyncio.gather(*(outcome(verifier, entry) for entry in entries()))
    told = {name: "accept" if isinstance(one, Verified) else "reject" for name, one in found}
    assert told == {name_of(entry): entry["expected_verdict"] for entry in entries()}


async def test_every_reject_has_the_code_of_its_fault(verifier: VerifyEnvelope) -> None:
    bad = [entry for entry in entries() if entry["expected_verdict"] == "reject"]
    found = await asyncio.gather(*(outcome(verifier, entry) for entry in bad))
    codes = {
        name: ": ".join([one.code, *([one.cause] if one.cause else [])])
        for name, one in found
        if isinstance(one, Failed)
    }
    assert {name: code for name, code in codes.items() if name in CODES} == {
        name: code for name, code in CODES.items() if name in codes
    }
    assert set(CODES) - set(codes) == set()


async def test_a_runner_of_ones_own_is_refused_where_a_rule_says_so(verifier: VerifyEnvelope) -> None:
    entry = next(one for one in entries() if name_of(one) == "mini-self-hosted")
    given = trust_of(entry, runner_environment=Match("github-hosted"))
    _, found = await outcome(verifier, entry, given)
    assert isinstance(found, Failed)
    assert (found.code, found.cause) == ("SIGNER_NOT_TRUSTED", "RUNNER_MISMATCH")


async def test_a_fork_is_refused_by_its_repository(verifier: VerifyEnvelope) -> None:
    entry = next(one for one in entries() if name_of(one) == "mini-fork-repo")
    issuer, repository = Match(entry["expected_issuer"]), Match("https://github.com/acme/*", pattern=True)
    given = Trust(1, trust_of(entry).roots, (SignerRule("acme", issuer, repository=repository),))
    _, found = await outcome(verifier, entry, given)
    assert isinstance(found, Failed)
    assert (found.code, found.cause) == ("SIGNER_NOT_TRUSTED", "REPOSITORY_MISMATCH")


async def test_the_digest_of_another_artifact_is_never_accepted(verifier: VerifyEnvelope) -> None:
    good = [entry for entry in entries() if entry["expected_verdict"] == "accept"]
    other = "sha256:" + hashlib.sha256(b"another artifact").hexdigest()
    found = await asyncio.gather(*(outcome(verifier, {**entry, "artifact_digest": other}) for entry in good))
    assert {one.code for _, one in found if isinstance(one, Failed)} == {"SUBJECT_MISMATCH"}
    assert not any(isinstance(one, Verified) for _, one in found)


async def test_no_changed_signature_is_accepted(verifier: VerifyEnvelope) -> None:
    """Turn one bit of each good bundle's signature: a test of the corpus as much as of the verifier."""
    for entry in (one for one in entries() if one["expected_verdict"] == "accept"):
        bundle = json.loads((corpus() / entry["file"]).read_bytes())
        place, name = (
            (bundle["dsseEnvelope"]["signatures"][0], "sig")
            if "dsseEnvelope" in bundle
            else (bundle["messageSignature"], "signature")
        )
        value = base64.b64decode(place[name])
        place[name] = base64.b64encode(value[:-1] + bytes([value[-1] ^ 1])).decode()
        asked = entry["artifact_digest"]
        found = await verifier.verify(json.dumps(bundle).encode(), [asked], trust_of(entry))
        assert isinstance(found, Failed), entry["file"]
        # A timestamp is over the signature, so that it fails first where the time is the authority's.
        assert found.code in {"SIGNATURE_INVALID", "TIMESTAMP_UNTRUSTED", "NO_TRUSTED_KEY"}, entry["file"]
