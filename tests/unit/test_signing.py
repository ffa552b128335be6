"""Keys are made once, kept private, rotated and given up; envelopes count only with a key that is trusted."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from release_passport.log.checkpoint import Checkpoint
from release_passport.signatures.envelope import IN_TOTO, EnvelopeInvalid, open_envelope, pae
from release_passport.signatures.key_set import (
    Evidence,
    KeyRefusal,
    KeySetInvalid,
    PublishedKey,
    SeenCheckpoint,
    key_refusal,
    parse_key_set,
    trusted,
)
from release_passport.signatures.public_key import KeyInvalid, load_public_key, public_key
from release_passport_server.adapters.signing import files as files_module
from release_passport_server.adapters.signing.files import KeyFilesInvalid
from release_passport_server.adapters.signing.key_folder import LIST, KeyFolder
from release_passport_server.adapters.signing.sealer import DSSESealer
from release_passport_server.domain.errors import Denied, NotFound, Unavailable
from release_passport_server.domain.signing_key import Algorithm, KeyState, Purpose, key_set_document
from support.attesting import MemorySigner
from support.builders import NOW

LATER = NOW + timedelta(days=30)
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_the_first_start_makes_one_key_for_each_purpose_and_the_next_finds_them(folder: Path) -> None:
    keys = KeyFolder.open(folder, NOW).public_keys()
    assert {(key.purpose, key.algorithm, key.state) for key in keys} == {
        (Purpose.DECISION, Algorithm.P256, KeyState.ACTIVE),
        (Purpose.LOG, Algorithm.ED25519, KeyState.ACTIVE),
    }
    assert KeyFolder.open(folder, LATER).public_keys() == keys
    assert modes(folder) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_files_are_private_under_any_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        KeyFolder.open(folder, NOW)
    finally:
        os.umask(before)
    assert modes(folder) == {0o600}


@pytest.mark.parametrize("algorithm", Algorithm)
def test_signatures_fit_the_published_key(folder: Path, algorithm: Algorithm) -> None:
    keys = KeyFolder.open(folder, NOW, {Purpose.DECISION: algorithm, Purpose.LOG: Algorithm.ED25519})
    signature = keys.sign(Purpose.DECISION, b"message", NOW)
    [published] = [key for key in keys.public_keys() if key.purpose is Purpose.DECISION]
    public = load_public_key(published.public_key)
    assert signature.key_id == published.key_id == public.key_id
    assert public.verifies(b"message", signature.value)
    assert not public.verifies(b"massage", signature.value)


def test_the_key_id_is_the_openssh_fingerprint() -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32).public_key()
    fields = (b"ssh-ed25519", private.public_bytes_raw())
    blob = b"".join(struct.pack("!I", len(field)) + field for field in fields)
    expected = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    assert public_key(private).key_id == f"SHA256:{expected}"


def test_a_rotation_keeps_the_old_public_key_and_destroys_its_private_half(folder: Path) -> None:
    keys = KeyFolder.open(folder, NOW)
    old = keys.sign(Purpose.DECISION, b"old", NOW)
    new = keys.rotate(Purpose.DECISION, LATER)
    known = {key.key_id: key for key in KeyFolder.open(folder, LATER).public_keys()}
    assert keys.sign(Purpose.DECISION, b"new", LATER).key_id == new.key_id != old.key_id
    assert (known[old.key_id].state, known[old.key_id].not_after) == (KeyState.RETIRED, LATER)
    assert known[new.key_id].not_before == LATER
    assert len(list(folder.glob("decision-*.pem"))) == 1
    assert load_public_key(known[old.key_id].public_key).verifies(b"old", old.value)


def test_a_rotation_can_change_the_algorithm_but_not_the_logs(folder: Path) -> None:
    keys = KeyFolder.open(folder, NOW)
    assert keys.rotate(Purpose.DECISION, LATER, Algorithm.ED25519).algorithm is Algorithm.ED25519
    assert keys.rotate(Purpose.DECISION, LATER).algorithm is Algorithm.ED25519
    with pytest.raises(KeyFilesInvalid, match="must be an Ed25519 key"):
        keys.rotate(Purpose.LOG, LATER, Algorithm.P256)
    with pytest.raises(KeyFilesInvalid, match="must be an Ed25519 key"):
        KeyFolder.open(folder, NOW, {Purpose.DECISION: Algorithm.P256, Purpose.LOG: Algorithm.P256})


def test_a_replica_sees_a_rotation_when_it_reloads(folder: Path) -> None:
    one, other = KeyFolder.open(folder, NOW), KeyFolder.open(folder, NOW)
    new = one.rotate(Purpose.LOG, LATER)
    other.reload()
    assert other.sign(Purpose.LOG, b"x", LATER).key_id == new.key_id
    assert other.public_keys() == one.public_keys()


def test_a_compromised_key_gets_a_successor_and_stays_listed(folder: Path) -> None:
    keys = KeyFolder.open(folder, NOW)
    stolen = keys.sign(Purpose.DECISION, b"x", NOW).key_id
    since = LATER - timedelta(days=3)
    keys.mark_compromised(stolen, LATER, since)
    marked = keys.mark_compromised(stolen, LATER, LATER)
    assert (marked.state, marked.compromise_time, marked.not_after) == (KeyState.COMPROMISED, since, LATER)
    assert keys.sign(Purpose.DECISION, b"x", LATER).key_id != stolen
    assert marked in KeyFolder.open(folder, LATER).public_keys()
    assert len(list(folder.glob("decision-*.pem"))) == 1
    with pytest.raises(NotFound):
        keys.mark_compromised("SHA256:nobody", LATER, since)


def test_no_key_signs_before_its_time(folder: Path) -> None:
    keys = KeyFolder.open(folder, NOW)
    with pytest.raises(Unavailable, match="no key can sign for DECISION"):
        keys.sign(Purpose.DECISION, b"x", NOW - timedelta(seconds=1))


def spoil(folder: Path, change: Callable[[Path], object]) -> None:
    change(next(folder.glob("decision-*.pem")))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda path: path.chmod(0o640), "chmod 600"),
        (lambda path: path.unlink(), "is not there: restore it"),
        (lambda path: path.write_bytes(b"nothing"), "one private key in PEM"),
        (lambda path: path.write_bytes(next(path.parent.glob("log-*.pem")).read_bytes()), "another key than"),
        (lambda path: (path.parent / LIST).write_text("{"), "cannot be read: restore it"),
        (lambda path: (path.parent / LIST).write_text('[{"keyId":"x"}]'), "cannot be read: restore it"),
        (lambda path: (path.parent / LIST).chmod(0o604), "chmod 600"),
    ],
)
def test_a_folder_that_is_not_sound_does_not_open(
    folder: Path, change: Callable[[Path], object], text: str
) -> None:
    KeyFolder.open(folder, NOW)
    spoil(folder, change)
    with pytest.raises(KeyFilesInvalid, match=text):
        KeyFolder.open(folder, NOW)


@pytest.mark.parametrize("writes", range(2))
def test_a_crash_during_a_rotation_leaves_a_key_that_signs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    keys = KeyFolder.open(folder, NOW)
    before = keys.public_keys()
    left = [None] * writes
    real = files_module.write_private

    def dying(path: Path, content: bytes) -> None:
        if not left:
            raise OSError("the power is gone")
        left.pop()
        real(path, content)

    monkeypatch.setattr("release_passport_server.adapters.signing.key_folder.write_private", dying)
    with pytest.raises(OSError, match="power"):
        keys.rotate(Purpose.DECISION, LATER)
    monkeypatch.undo()
    again = KeyFolder.open(folder, LATER)
    assert again.public_keys() == before
    assert again.sign(Purpose.DECISION, b"x", LATER).key_id in {key.key_id for key in before}


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_sealed_document_opens_with_the_published_keys(algorithm: Algorithm) -> None:
    signer = MemorySigner(algorithm)
    sealed = DSSESealer(signer).seal(IN_TOTO, PAYLOAD, NOW)
    published = parse_key_set(json.dumps(key_set_document("https://x", signer.public_keys())).encode())
    opened = open_envelope(sealed, trusted(published, "DECISION"))
    assert (opened.payload, opened.payload_type) == (PAYLOAD, IN_TOTO)
    assert [key.key_id for key in opened.keys] == [signer.known[0].key_id]
    assert DSSESealer(signer).open(sealed, IN_TOTO) == PAYLOAD


SIGNER = MemorySigner()
KEYS = [load_public_key(key.public_key) for key in SIGNER.known]
SEALED = json.loads(DSSESealer(SIGNER).seal(IN_TOTO, PAYLOAD, NOW))
SIGNATURE = SEALED["signatures"][0]


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"payload": b64(PAYLOAD + b" ")},
        {"payload": "!"},
        {"payload": ""},
        {"payloadType": "application/json"},
        {"payloadType": 5},
        {"signatures": []},
        {"signatures": None},
        {"signatures": [5]},
        {"signatures": [SIGNATURE] * 17},
        {"signatures": [{**SIGNATURE, "sig": b64(b"x" * 70)}]},
        {"signatures": [{**SIGNATURE, "keyid": KEYS[1].key_id}]},
        {"signatures": [{**SIGNATURE, "keyid": "somebody"}]},
        {"signatures": [{**SIGNATURE, "keyid": 5}]},
        {"signatures": [{"keyid": SIGNATURE["keyid"]}]},
    ],
)
def test_a_changed_envelope_does_not_open(change: dict[str, object]) -> None:
    raw = json.dumps({**SEALED, **change}).encode()
    with pytest.raises(EnvelopeInvalid):
        open_envelope(raw, KEYS)
    with pytest.raises(Denied) as refused:
        DSSESealer(SIGNER).open(raw, IN_TOTO)
    assert refused.value.reason == "ENVELOPE_INVALID"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"payload":"a","payload":"b"}', b" " * 4_194_305, b"{}"]
)
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        open_envelope(raw, KEYS)


def test_an_envelope_without_a_key_id_is_tried_with_each_key_and_others_signatures_are_passed_over() -> None:
    unnamed = {"sig": SIGNATURE["sig"]}
    foreign = {"keyid": "somebody", "sig": b64(b"x")}
    raw = json.dumps({**SEALED, "signatures": [foreign, unnamed]}).encode()
    assert open_envelope(raw, KEYS).keys == (KEYS[0],)


def test_an_envelope_of_a_stolen_key_opens_nothing() -> None:
    signer = MemorySigner()
    sealed = DSSESealer(signer).seal(IN_TOTO, PAYLOAD, NOW)
    signer.known = [replace(key, state=KeyState.COMPROMISED) for key in signer.known]
    with pytest.raises(Denied):
        DSSESealer(signer).open(sealed, IN_TOTO)


def test_the_encoding_and_the_signature_are_those_of_the_dsse_specification() -> None:
    message = pae("http://example.com/HelloWorld", b"hello world")
    assert message == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    numbers = ec.EllipticCurvePublicNumbers(
        46950820868899156662930047687818585632848591499744589407958293238635476079160,
        5640078356564379163099075877009565129882514886557779369047442380624545832820,
        ec.SECP256R1(),
    )
    raw = base64.b64decode(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    )
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    assert public_key(numbers.public_key()).verifies(message, der)


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PUBLIC KEY-----\n" * 2, "x" * 4097])
def test_what_is_no_public_key_is_refused(pem: str) -> None:
    with pytest.raises(KeyInvalid):
        load_public_key(pem)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
    ],
)
def test_other_kinds_of_keys_are_refused(key: object) -> None:
    with pytest.raises(KeyInvalid, match="P-256 or an Ed25519"):
        public_key(key)


def published(**more: object) -> PublishedKey:
    made = PublishedKey(KEYS[0], "DECISION", "ACTIVE", NOW)
    return replace(made, **more)  # type: ignore[arg-type]


def seen(size: int, days: float) -> SeenCheckpoint:
    return SeenCheckpoint(Checkpoint("log", size, b"\0" * 32), NOW + timedelta(days=days))


RETIRED = published(state="RETIRED", not_after=LATER)
STOLEN = published(state="COMPROMISED", not_after=LATER, compromise_time=NOW + timedelta(days=10))
AT = NOW + timedelta(days=5)
KEY_CASES: dict[str, tuple[PublishedKey, Evidence, KeyRefusal | None]] = {
    "active": (published(), Evidence(AT), None),
    "before its time": (published(), Evidence(NOW - timedelta(seconds=1)), KeyRefusal.NOT_YET_VALID),
    "after its time": (published(not_after=AT), Evidence(AT), KeyRefusal.NO_LONGER_VALID),
    "of an unknown state": (published(state="SUPER"), Evidence(AT), KeyRefusal.UNKNOWN_STATE),
    "of another purpose": (published(purpose="LOG"), Evidence(AT), KeyRefusal.OTHER_PURPOSE),
    "retired, dated back, outside the log": (RETIRED, Evidence(AT), KeyRefusal.RETIRED_WITHOUT_LOG),
    "retired, logged too late": (
        RETIRED,
        Evidence(AT, 7, [seen(7, 29), seen(8, 30)]),
        KeyRefusal.RETIRED_WITHOUT_LOG,
    ),
    "retired, logged in time": (RETIRED, Evidence(AT, 7, [seen(8, 29)]), None),
    "retired, seen in time": (RETIRED, Evidence(AT, 7, (), [seen(8, 29)]), None),
    "stolen, only published": (STOLEN, Evidence(AT, 7, [seen(8, 6)]), KeyRefusal.COMPROMISED),
    "stolen, held too late": (STOLEN, Evidence(AT, 7, (), [seen(8, 10)]), KeyRefusal.COMPROMISED),
    "stolen, held in time": (STOLEN, Evidence(AT, 7, (), [seen(8, 9)]), None),
    "stolen, nobody knows when": (
        replace(STOLEN, compromise_time=None),
        Evidence(AT, 7, (), [seen(8, 1)]),
        KeyRefusal.COMPROMISED,
    ),
}


@pytest.mark.parametrize("name", KEY_CASES)
def test_what_a_signature_is_worth_depends_on_the_state_of_its_key(name: str) -> None:
    key, evidence, refusal = KEY_CASES[name]
    assert key_refusal(key, "DECISION", evidence) == refusal


@pytest.mark.parametrize(
    "change",
    [
        {"keyId": "SHA256:other"},
        {"notBefore": None},
        {"notBefore": "2026-01-01T00:00:00"},
        {"publicKey": "x"},
    ],
)
def test_a_key_set_that_does_not_fit_itself_is_refused(change: dict[str, object]) -> None:
    document = json.loads(json.dumps(key_set_document("https://x", SIGNER.public_keys())))
    document["keys"][0] |= change
    with pytest.raises(KeySetInvalid):
        parse_key_set(json.dumps(document).encode())


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"keys":5}', b'{"keys":[5]}', b"[" * 100_000])
def test_what_is_no_key_set_is_refused(raw: bytes) -> None:
    with pytest.raises(KeySetInvalid):
        parse_key_set(raw)


def test_what_another_process_changes_is_followed_at_once(folder: Path) -> None:
    server, tool = KeyFolder.open(folder, NOW), KeyFolder.open(folder, NOW)
    before = server.sign(Purpose.DECISION, b"x", NOW).key_id
    made = tool.rotate(Purpose.DECISION, LATER)
    assert server.sign(Purpose.DECISION, b"x", LATER).key_id == made.key_id != before
    assert server.public_keys() == tool.public_keys()
    (folder / LIST).unlink()
    with pytest.raises(Unavailable):
        server.sign(Purpose.DECISION, b"x", LATER)
