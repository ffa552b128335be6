"""Signed notes (c2sp.org/signed-note): a text, an empty line, and lines that say who signed it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE_CHARS = 1_000_000
MAX_SIGNATURES = 100

_DASH = "\u2014"
_KEY_HASH_BYTES = 4


class NoteInvalid(ValueError):
    """A note cannot be read, or nobody known signed it; the message says which."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under the name that notes give it; known to others as its vkey."""

    name: str
    public: bytes
    algorithm: int = ED25519

    @property
    def key_hash(self) -> bytes:
        """Return the four bytes that a signature names its key by."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[
            :_KEY_HASH_BYTES
        ]

    def __str__(self) -> str:
        key = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_hash.hex()}+{key}"

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """Return the key of `name+hash+key`; raise NoteInvalid."""
        name, _, rest = vkey.partition("+")
        key_hash, _, encoded = rest.partition("+")
        raw = _decoded(encoded, "the key of a verifier")
        if not is_key_name(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
            raise NoteInvalid("a verifier key is name+hash+key, with an Ed25519 key")
        found = cls(name, raw[1:], raw[0])
        if found.key_hash.hex() != key_hash:
            raise NoteInvalid(f"the hash of the verifier key {name} does not fit its key")
        return found


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note whose text at least one known key signed; `cosign_times` are seconds since 1970, by key name."""

    text: str
    signers: tuple[VerifierKey, ...]
    cosign_times: tuple[tuple[str, int], ...] = ()


def is_key_name(name: str) -> bool:
    """Say whether this can be the name of a key: not empty, no spaces, no plus."""
    return bool(name) and name.isprintable() and not any(c.isspace() or c == "+" for c in name)


def signed_note(text: str, key: VerifierKey, signature: bytes) -> str:
    """Return a text with one signature, which was made over the text's bytes."""
    return f"{_checked_text(text)}\n{signature_line(key, signature)}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """Return the line that adds a signature to a note."""
    return f"{_DASH} {key.name} {base64.b64encode(key.key_hash + signature).decode()}\n"


def open_note(note: str, keys: Iterable[VerifierKey]) -> OpenedNote:
    """Return the text of a note that one of the keys signed; raise NoteInvalid.

    A signature of an unknown key is passed over; a wrong one of a known key spoils the note.
    """
    text, lines = _split(note)
    known = {(key.name, key.key_hash): key for key in keys}
    signers: dict[VerifierKey, None] = {}
    times: list[tuple[str, int]] = []
    for line in lines:
        name, raw = _signature(line)
        key = known.get((name, raw[:_KEY_HASH_BYTES]))
        if key is None or key in signers:
            continue
        time = _verify(key, raw[_KEY_HASH_BYTES:], text)
        signers[key] = None
        times += [] if time is None else [(name, time)]
    if not signers:
        raise NoteInvalid("no known key signed the note")
    return OpenedNote(text, tuple(signers), tuple(times))


def _split(note: str) -> tuple[str, Sequence[str]]:
    if len(note) > MAX_NOTE_CHARS:
        raise NoteInvalid(f"a note has at most {MAX_NOTE_CHARS} characters")
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise NoteInvalid("a note is a text, an empty line and lines with signatures")
    lines = signatures[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteInvalid(f"a note has at most {MAX_SIGNATURES} signatures")
    return _checked_text(text + "\n"), lines


def _checked_text(text: str) -> str:
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise NoteInvalid("the text of a note has whole lines without control characters")
    return text


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    raw = _decoded(encoded, "a signature")
    if dash != _DASH or not is_key_name(name) or len(raw) <= _KEY_HASH_BYTES:
        raise NoteInvalid("a signature line is a dash, the key's name and the signature")
    return name, raw


def _verify(key: VerifierKey, signature: bytes, text: str) -> int | None:
    """Return the time of a cosignature, None for a plain signature; raise NoteInvalid for a wrong one."""
    time, message = None, text.encode()
    if key.algorithm == COSIGNATURE:
        if len(signature) != 72:
            raise NoteInvalid(f"the cosignature of {key.name} has another length")
        (time,) = struct.unpack("!Q", signature[:8])
        message, signature = b"cosignature/v1\ntime %d\n" % time + message, signature[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature as error:
        raise NoteInvalid(f"the signature of {key.name} does not fit the text") from error
    return time


def _decoded(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteInvalid(f"{what} is not base 64") from error
    if base64.b64encode(raw).decode() != text:
        raise NoteInvalid(f"{what} is not base 64 in its one form")
    return raw
