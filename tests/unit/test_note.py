"""Signed notes: the public examples, and nothing that only looks like one."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from release_passport.log.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from release_passport.log.merkle import ProofInvalid
from release_passport.log.note import (
    COSIGNATURE,
    NoteInvalid,
    VerifierKey,
    open_note,
    signature_line,
    signed_note,
)
from release_passport.log.proof import parse_proof, proof_text
from release_passport.log.tiles import bundle_path, decode_bundle, encode_bundle, tile_path

# The example of c2sp.org/signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example of golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
KEY = VerifierKey("log.example/a", PRIVATE.public_key().public_bytes_raw())
TEXT = Checkpoint(KEY.name, 5, b"\x01" * 32).text
SIGNED = signed_note(TEXT, KEY, PRIVATE.sign(TEXT.encode()))


@pytest.mark.parametrize(("vkey", "note"), [(VKEY, NOTE), (GO_VKEY, GO_NOTE)])
def test_the_public_examples_open(vkey: str, note: str) -> None:
    key = VerifierKey.parse(vkey)
    assert str(key) == vkey
    opened = open_note(note, [key])
    assert note.startswith(opened.text + "\n\u2014")
    assert opened.signers == (key,)


def test_a_note_signed_here_opens() -> None:
    assert open_note(SIGNED, [KEY]).text == TEXT
    assert open_checkpoint(SIGNED, KEY.name, [KEY]) == Checkpoint(KEY.name, 5, b"\x01" * 32)


def test_an_unknown_signature_beside_a_known_one_is_passed_over() -> None:
    other = VerifierKey("other.example", b"\x02" * 32)
    assert open_note(SIGNED + signature_line(other, b"x" * 64), [KEY]).signers == (KEY,)


def test_a_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    witness = VerifierKey("witness.example", KEY.public)
    with pytest.raises(NoteInvalid, match=r"witness\.example does not fit"):
        open_note(SIGNED + signature_line(witness, b"x" * 64), [KEY, witness])


def test_a_cosignature_tells_its_time_and_is_none_of_the_log() -> None:
    witness = VerifierKey("witness.example", KEY.public, COSIGNATURE)
    signature = PRIVATE.sign(b"cosignature/v1\ntime 1700000000\n" + TEXT.encode())
    line = signature_line(witness, (1_700_000_000).to_bytes(8, "big") + signature)
    opened = open_note(SIGNED + line, [KEY, witness])
    assert opened.cosign_times == (("witness.example", 1_700_000_000),)
    with pytest.raises(NoteInvalid, match="not signed by the log"):
        open_checkpoint(SIGNED + line, KEY.name, [witness])
    moved = signature_line(witness, (1_700_000_001).to_bytes(8, "big") + signature)
    with pytest.raises(NoteInvalid, match="does not fit"):
        open_note(SIGNED + moved, [KEY, witness])


@pytest.mark.parametrize("at", range(0, len(SIGNED), 3))
def test_any_changed_character_is_noticed(at: int) -> None:
    changed = SIGNED[:at] + chr(ord(SIGNED[at]) ^ 1) + SIGNED[at + 1 :]
    with pytest.raises(NoteInvalid):
        open_checkpoint(changed, KEY.name, [KEY])


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        SIGNED[:-1],
        SIGNED.replace("\n\n", "\n"),
        SIGNED + "\n",
        SIGNED.replace("\u2014", "-"),
        SIGNED.replace("log.example/a ", "log.example/a  "),
        TEXT.replace("5", "5\t") + SIGNED[len(TEXT) :],
        SIGNED + SIGNED.rpartition("\n\n")[2] * 100,
        SIGNED[:-2] + "\n",
        "x" * 1_000_001,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NoteInvalid):
        open_note(note, [KEY])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a",
        "a+b",
        "a b" + VKEY[15:],
        VKEY[:-1],
        VKEY.replace("530d903a", "530d903b"),
        VKEY + "+",
        VKEY[:-8],
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteInvalid):
        VerifierKey.parse(vkey)


ROOT = base64.b64encode(b"\x01" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n5\n",
        f"o\n05\n{ROOT}\n",
        f"o\n-5\n{ROOT}\n",
        f"o\n+5\n{ROOT}\n",
        f"o\n\u0665\n{ROOT}\n",
        f"\n5\n{ROOT}\n",
        f"o\n5\n{ROOT[:-4]}\n",
        f"o\n5\n{ROOT}",
        "o\n5\n!\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_checkpoint(text)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    text = Checkpoint("log.example/b", 5, b"\x01" * 32).text
    note = signed_note(text, KEY, PRIVATE.sign(text.encode()))
    with pytest.raises(NoteInvalid, match=r"of the log log\.example/b"):
        open_checkpoint(note, KEY.name, [KEY])


def test_a_proof_reads_back_and_may_bring_more() -> None:
    text = proof_text(3, (b"\x01" * 32, b"\x02" * 32), SIGNED)
    proof = parse_proof(text)
    assert (proof.index, proof.hashes, proof.checkpoint) == (3, (b"\x01" * 32, b"\x02" * 32), SIGNED)
    assert parse_proof(text.replace("index", "extra AAAA\nindex")) == proof


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        f"c2sp.org/tlog-proof@v2\nindex 3\n\n{SIGNED}",
        f"c2sp.org/tlog-proof@v1\n\n{SIGNED}",
        f"c2sp.org/tlog-proof@v1\nindex 03\n\n{SIGNED}",
        f"c2sp.org/tlog-proof@v1\nindex 3\n!\n\n{SIGNED}",
        "c2sp.org/tlog-proof@v1\nindex 3\n" + f"{ROOT}\n" * 64 + f"\n{SIGNED}",
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(ProofInvalid):
        parse_proof(text)


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(1, 0, 3) == "tile/1/000.p/3"
    assert bundle_path(999, 8) == "tile/entries/999.p/8"


def test_bundles_read_back_and_cut_ones_are_refused() -> None:
    entries = [b"", b"a", b"b" * 65_535]
    assert decode_bundle(encode_bundle(entries)) == entries
    for cut in (b"\0", b"\0\x02a"):
        with pytest.raises(ValueError, match="ends inside"):
            decode_bundle(cut)
    with pytest.raises(ValueError, match="at most 65535"):
        encode_bundle([b"x" * 65_536])
