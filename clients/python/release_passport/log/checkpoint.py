"""Checkpoints (c2sp.org/tlog-checkpoint): the size and root of a log, in a note that its key signs."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from release_passport.log.merkle import HASH_BYTES
from release_passport.log.note import NoteInvalid, VerifierKey, open_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits itself to."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def open_checkpoint(note: str, origin: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """Return the checkpoint of a log, signed by the log itself; raise NoteInvalid.

    The key of the log has the origin as its name; the signatures of others alone do not do.
    """
    opened = open_note(note, keys)
    if origin not in {key.name for key in opened.signers}:
        raise NoteInvalid(f"the checkpoint is not signed by the log {origin}")
    found = parse_checkpoint(opened.text)
    if found.origin != origin:
        raise NoteInvalid(f"the checkpoint is of the log {found.origin}, not {origin}")
    return found


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint of a text whose signature was verified; raise NoteInvalid."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]) or lines[-1]:
        raise NoteInvalid("a checkpoint has an origin, a size and a root, each on its line")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteInvalid("the root of a checkpoint is not base 64") from error
    if len(root) != HASH_BYTES or base64.b64encode(root).decode() != lines[2]:
        raise NoteInvalid(f"the root of a checkpoint has {HASH_BYTES} bytes")
    return Checkpoint(lines[0], int(lines[1]), root)
