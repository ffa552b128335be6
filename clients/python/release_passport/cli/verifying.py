"""What commands that verify need: the library for signatures, and keys from a file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from release_passport.cli.failure import CommandFailure, usage

if TYPE_CHECKING:
    from release_passport.log.note import VerifierKey
    from release_passport.signatures.key_set import PublishedKey


def require_cryptography() -> None:
    """Raise CommandFailure where signatures cannot be checked: it is an optional part of the client."""
    if find_spec("cryptography") is None:
        raise CommandFailure("signatures need one more library: pip install 'release-passport[verify]'")


def read_key_set(path: str) -> tuple[PublishedKey, ...]:
    """Return the keys of a file."""
    from release_passport.signatures.key_set import KeySetInvalid, parse_key_set

    try:
        return parse_key_set(Path(path).read_bytes())
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}") from error
    except KeySetInvalid as error:
        raise usage(f"{path} is not a set of public keys: {error}") from error


def log_keys(keys: tuple[PublishedKey, ...], origin: str) -> list[VerifierKey]:
    """Return the keys whose checkpoints of a log count; those of a stolen key count for nothing."""
    from release_passport.log.note import VerifierKey

    return [
        VerifierKey(origin, one.key.raw)
        for one in keys
        if one.purpose == "LOG" and one.state in ("ACTIVE", "RETIRED")
    ]
