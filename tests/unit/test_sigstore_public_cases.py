"""Cases of the public conformance suite of Sigstore clients, made anew with an instance of our own.

What the suite calls them stands in each test's name or ids: its trust roots, timestamps and statements.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from release_passport_server.domain.attestation import Failed, Verified
from release_passport_server.domain.trust import Trust
from support.minisigstore import How, MiniSigstore
from support.minisigstore_log import b64
from support.sigstore import MINI, WHO, about, code, pinned, rule, verify

ROOT: dict[str, Any] = json.loads(MINI.trusted_root())
STRANGERS = json.loads(MiniSigstore(org="other.test").trusted_root())["timestampAuthorities"][0]
STAMPED = How(rekor=2)


def under(root: dict[str, Any], bundle: dict[str, Any]) -> Verified | Failed:
    return verify(bundle, Trust(7, (pinned(json.dumps(root).encode()),), (rule(),)))


def without_start(part: str) -> dict[str, Any]:
    root = copy.deepcopy(ROOT)
    for one in root[part]:
        del one.get("publicKey", one)["validFor"]["start"]
    return root


@pytest.mark.parametrize("part", ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"])
def test_trust_root_missing_validity_start_fail(part: str) -> None:
    assert code(under(without_start(part), MINI.bundle(WHO, about(), STAMPED))) == "TRUSTED_ROOT_INVALID"


def _before(root: dict[str, Any]) -> None:
    root["timestampAuthorities"][0]["validFor"]["end"] = (MINI.when - timedelta(days=1)).isoformat()


def _stranger(root: dict[str, Any], certificates: list[Any]) -> None:
    root["timestampAuthorities"].append({**STRANGERS, "certChain": {"certificates": certificates}})


@pytest.mark.parametrize(
    ("borrow", "wanted"),
    [
        (lambda root: None, "TIMESTAMP_UNTRUSTED"),
        (lambda root: _stranger(root, []), "TRUSTED_ROOT_INVALID"),
        (
            lambda root: _stranger(root, STRANGERS["certChain"]["certificates"]),
            "TIMESTAMP_UNTRUSTED",
        ),
    ],
    ids=["ended", "empty chain", "another chain"],
)
def test_rekor2_timestamp_wrong_tsa_validity_borrow_fail(
    borrow: Callable[[dict[str, Any]], None], wanted: str
) -> None:
    bundle, root = MINI.bundle(WHO, about(), STAMPED), copy.deepcopy(ROOT)
    assert isinstance(under(root, bundle), Verified)
    _before(root)
    borrow(root)
    assert code(under(root, bundle)) == wanted


@pytest.mark.parametrize("last", [True, False])
def test_rekor2_multiple_timestamps_one_outside_cert_validity_fail(last: bool) -> None:
    bundle = MINI.bundle(WHO, about(), STAMPED)
    assert isinstance(under(ROOT, bundle), Verified)
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    late = {"signedTimestamp": b64(MINI.timestamps.stamp(signature, MINI.when + timedelta(days=3)))}
    stamps = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    stamps.insert(len(stamps) if last else 0, late)
    assert code(under(ROOT, bundle)) == "CERTIFICATE_EXPIRED"


@pytest.mark.parametrize("kind", [None, "https://in-toto.io/Statement/v2"])
def test_dsse_statement_missing_and_unknown_type_fail(kind: str | None) -> None:
    statement = about()
    del statement["_type"]
    if kind is not None:
        statement["_type"] = kind
    for asked in ("", "signature"):
        trust = Trust(7, (pinned(MINI.trusted_root()),), (rule(),))
        assert code(verify(MINI.bundle(WHO, statement), trust, kind=asked)) == "STATEMENT_MALFORMED"


@pytest.mark.parametrize("rekor", [1, 2])
def test_dsse_with_hashedrekord_happy_path(rekor: int) -> None:
    bundle = MINI.bundle(WHO, about(), How(rekor=rekor, kind="hashedrekord" if rekor == 1 else ""))
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    assert entry["kindVersion"]["kind"] == "hashedrekord"
    assert isinstance(under(ROOT, bundle), Verified)
