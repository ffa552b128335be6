"""Bundles that were changed anywhere, by chance or on purpose: never another signer, and never an error of ours."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_passport_server.domain.attestation import AttestationFailure
from support.minisigstore import How, as_bytes
from support.sigstore import DIGEST, MINI, WHO, about, changed, report

MATERIAL = "verificationMaterial"
TILED = MINI.bundle(WHO, about(), How(rekor=2))
ENTRY = (MATERIAL, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")
# A certificate with an odd serial number makes the library warn before it is refused.
ODD_SERIAL = pytest.mark.filterwarnings("ignore:Parsed a serial number")
STAMP = (MATERIAL, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
SIGNED = {
    "certificate": (MATERIAL, "certificate", "rawBytes"),
    "log entry": (*ENTRY, "canonicalizedBody"),
    "root hash": (*PROOF, "rootHash"),
    "payload": ("dsseEnvelope", "payload"),
    "timestamp": STAMP,
}


@ODD_SERIAL
@pytest.mark.parametrize("path", SIGNED.values(), ids=list(SIGNED))
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_change_of_what_is_signed_is_verified_or_raises(
    path: tuple[str | int, ...], data: st.DataObject
) -> None:
    place: Any = TILED
    for step in path:
        place = place[step]
    before = base64.b64decode(place)
    start = data.draw(st.integers(0, len(before) - 1))
    cut = data.draw(st.integers(0, 4))
    after = before[:start] + data.draw(st.binary(max_size=4)) + before[start + cut :]
    found = report(changed(TILED, *path, to=base64.b64encode(after).decode()))
    if after == before or found.failure is None:
        # Of a timestamp not every byte is signed, as that it was granted.
        assert found.failure is None
        assert after == before or path == STAMP
        assert found.sign_time == MINI.when + timedelta(seconds=5)


@ODD_SERIAL
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_single_change_makes_another_signer_or_raises(data: st.DataObject) -> None:
    raw = bytearray(as_bytes(TILED))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[place]))
    found = report(bytes(raw))
    if found.failure is None:
        # Outside of what is signed: the log's index of a v2 entry, padding bits, spaces.
        assert found.subjects == frozenset({DIGEST})
        assert found.claims is not None
        assert found.claims.identity == WHO.san


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_rubbish_is_malformed_and_never_raises(raw: bytes) -> None:
    assert report(raw).failure in {AttestationFailure.BUNDLE_MALFORMED, AttestationFailure.BUNDLE_UNSUPPORTED}
