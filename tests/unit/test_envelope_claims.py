"""What an envelope says that it is, is read from whatever comes, and is never an error."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from release_passport_server.domain.attestation import Claim
from release_passport_server.wire.intoto.claims import EnvelopeClaims
from support.minisigstore import as_bytes
from support.sigstore import ARTIFACT, MINI, SLSA, WHO, about


def claim(body: bytes) -> Claim:
    return EnvelopeClaims().claim(body)


def envelope(payload: object) -> bytes:
    text = payload if isinstance(payload, str) else base64.b64encode(json.dumps(payload).encode()).decode()
    return json.dumps({"payloadType": "x", "payload": text, "signatures": []}).encode()


def of_type(predicate_type: Any) -> Claim:
    return claim(envelope({"predicateType": predicate_type}))


def test_bundles_and_envelopes_claim_alike() -> None:
    assert claim(as_bytes(MINI.bundle(WHO, about()))) == Claim(SLSA, "provenance")
    assert of_type(SLSA) == Claim(SLSA, "provenance")
    assert of_type("https://spdx.dev/Document").kind == "sbom"


def test_signatures_of_cosign_2_and_3_are_signatures() -> None:
    assert claim(as_bytes(MINI.bundle(WHO, ARTIFACT))) == Claim(kind="signature")
    signed = "https://sigstore.dev/cosign/sign/v1"
    assert of_type(signed) == Claim(signed, "signature")


def test_a_predicate_that_yields_no_facts_is_no_evidence() -> None:
    found = of_type("https://acme.example/\x1b[31mx" + "y" * 1000)
    assert (found.kind, found.failure) == ("", "PREDICATE_UNSUPPORTED")
    assert found.predicate_type.isprintable()
    assert len(found.predicate_type) == 200


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b"", "BUNDLE_MALFORMED"),
        (b"\xff", "BUNDLE_MALFORMED"),
        (b"[" * 100_000, "BUNDLE_MALFORMED"),
        (b'{"a":1,"a":2}', "BUNDLE_MALFORMED"),
        (b"[]", "ENVELOPE_MALFORMED"),
        (b'{"dsseEnvelope":7}', "ENVELOPE_MALFORMED"),
        (envelope("%"), "ENVELOPE_MALFORMED"),
        (envelope("\u00e9"), "ENVELOPE_MALFORMED"),
        (envelope(base64.b64encode(b"no JSON").decode()), "STATEMENT_MALFORMED"),
        (envelope([]), "STATEMENT_MALFORMED"),
        (envelope({"predicateType": 7}), "STATEMENT_MALFORMED"),
    ],
)
def test_whatever_comes_is_told_and_never_raises(body: bytes, failure: str) -> None:
    found = claim(body)
    assert (found.kind, found.failure) == ("", failure)
    assert found.text
