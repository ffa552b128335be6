"""Bundles made of what cosign 2 leaves in a registry: an envelope, and the rest in annotations."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.adapters.oci.cosign import bundle_of
from release_passport_server.domain.attestation import Verified
from support.certificates import Certificates
from support.data import sample
from support.minisigstore import How
from support.sigstore import MINI, WHO, about, verify

ENVELOPE = json.dumps(
    {
        "payload": "e30=",
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": "", "sig": "c2ln"}],
    }
).encode()
LOGGED: dict[str, Any] = {
    "SignedEntryTimestamp": "c2V0",
    "Payload": {
        "body": base64.b64encode(b'{"apiVersion":"0.0.2","kind":"intoto","spec":{}}').decode(),
        "integratedTime": 1750000000,
        "logIndex": 123456789012,
        "logID": "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d",
    },
}
STAMP = {"SignedRFC3161Timestamp": "c3RhbXA="}


def notes(certificate: str = "", logged: Any = None, stamp: Any = None) -> dict[str, str]:
    found = {
        "dev.cosignproject.cosign/signature": "",
        "dev.sigstore.cosign/certificate": certificate,
        "dev.sigstore.cosign/bundle": json.dumps(logged) if logged else "",
        "dev.sigstore.cosign/rfc3161timestamp": json.dumps(stamp) if stamp else "",
    }
    return {name: value for name, value in found.items() if value}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return Certificates.make(tmp_path_factory.mktemp("certificates")).client_certificate.read_text()


def test_an_envelope_with_certificate_and_log_entry_is_a_bundle(certificate: str) -> None:
    made = bundle_of(ENVELOPE, notes(certificate, LOGGED, STAMP))
    assert made is not None
    value = json.loads(made)
    assert value["mediaType"].endswith("version=0.1")
    material = value["verificationMaterial"]
    (entry,) = material["tlogEntries"]
    assert (entry["kindVersion"], entry["logIndex"]) == (
        {"kind": "intoto", "version": "0.0.2"},
        "123456789012",
    )
    assert base64.b64decode(entry["logId"]["keyId"]).hex() == LOGGED["Payload"]["logID"]
    assert material["timestampVerificationData"]["rfc3161Timestamps"] == [{"signedTimestamp": "c3RhbXA="}]
    der = base64.b64decode(material["x509CertificateChain"]["certificates"][0]["rawBytes"])
    assert base64.b64encode(der).decode() in certificate.replace("\n", "")
    assert value["dsseEnvelope"] == json.loads(ENVELOPE)


def test_an_envelope_signed_by_key_has_no_certificate() -> None:
    made = bundle_of(ENVELOPE, notes(logged=LOGGED))
    assert made is not None
    assert json.loads(made)["verificationMaterial"]["publicKey"] == {"hint": ""}


def test_an_envelope_with_a_timestamp_alone_is_a_bundle_without_log(certificate: str) -> None:
    made = bundle_of(ENVELOPE, notes(certificate, stamp=STAMP))
    assert made is not None
    value = json.loads(made)
    assert value["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert value["verificationMaterial"]["tlogEntries"] == []


def test_annotations_that_do_not_suffice_make_no_bundle(certificate: str) -> None:
    assert bundle_of(ENVELOPE, {}) is None
    assert bundle_of(ENVELOPE, notes(certificate)) is None
    assert bundle_of(ENVELOPE, notes("no certificate", LOGGED)) is None
    assert bundle_of(b"no json", notes(certificate, LOGGED)) is None
    assert bundle_of(b'{"payload":"e30="}', notes(certificate, LOGGED)) is None
    assert bundle_of(ENVELOPE, notes(certificate, stamp={"SignedRFC3161Timestamp": "not base64!"})) is None
    for field, value in (("logIndex", -1), ("logIndex", "1"), ("logID", "zz"), ("body", "e30="), ("body", 7)):
        broken = LOGGED | {"Payload": dict(LOGGED["Payload"], **{field: value})}
        assert bundle_of(ENVELOPE, notes(certificate, broken)) is None


@given(st.binary(max_size=200), st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_no_annotation_breaks_the_reading(envelope: bytes, a: str, b: str, c: str) -> None:
    given_notes = {
        "dev.sigstore.cosign/certificate": a,
        "dev.sigstore.cosign/bundle": b,
        "dev.sigstore.cosign/rfc3161timestamp": c,
    }
    bundle_of(envelope, given_notes)
    bundle_of(ENVELOPE, given_notes)


def taken_apart(bundle: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return the envelope and the annotations in which cosign 2 would have stored a bundle."""
    material = bundle["verificationMaterial"]
    entry = material["tlogEntries"][0]
    certificate = material.get("certificate") or material["x509CertificateChain"]["certificates"][0]
    der = base64.b64decode(certificate["rawBytes"])
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"
    logged = {
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry["logIndex"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        },
    }
    stamps = material.get("timestampVerificationData", {}).get("rfc3161Timestamps")
    stamp = {"SignedRFC3161Timestamp": stamps[0]["signedTimestamp"]} if stamps else None
    return json.dumps(bundle["dsseEnvelope"]).encode(), notes(pem, logged, stamp)


@pytest.mark.parametrize("name", ["real-github-attestation-slsa-v1", "real-slsa-generator-generic-v2.1.0"])
def test_a_real_bundle_taken_apart_is_put_together_again(name: str) -> None:
    original = json.loads(sample(f"provenance/bundles/{name}.json").read_text())
    made = bundle_of(*taken_apart(original))
    assert made is not None
    material = json.loads(made)["verificationMaterial"]
    entry = original["verificationMaterial"]["tlogEntries"][0]
    (rebuilt,) = material["tlogEntries"]
    assert {key: entry[key] for key in rebuilt} == rebuilt
    chain = material["x509CertificateChain"]["certificates"]
    assert chain == [{"rawBytes": original["verificationMaterial"]["certificate"]["rawBytes"]}]
    # Protobuf's JSON leaves an empty key id out.
    signatures = [{"keyid": ""} | one for one in original["dsseEnvelope"]["signatures"]]
    assert json.loads(made)["dsseEnvelope"] == original["dsseEnvelope"] | {"signatures": signatures}


@pytest.mark.parametrize(
    "how", [How(), How(kind="intoto"), How(stamped=True), How(version="0.1", proof=False)]
)
def test_a_bundle_put_together_is_verified(how: How) -> None:
    made = bundle_of(*taken_apart(MINI.bundle(WHO, about(), how)))
    assert made is not None
    result = verify(json.loads(made))
    assert isinstance(result, Verified), result.reason
    assert result.kind == "provenance"


def test_a_bundle_put_together_of_two_is_not_verified() -> None:
    (envelope, _), (_, other) = (taken_apart(MINI.bundle(WHO, about(), How())) for _ in range(2))
    made = bundle_of(envelope, other)
    assert made is not None
    assert not isinstance(verify(json.loads(made)), Verified)
