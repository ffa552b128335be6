"""Reads trusted roots from files that an operator pins by digest."""

from __future__ import annotations

from pathlib import Path

from release_passport_server.domain.trust import TrustedRoot

MAX_ROOT_BYTES = 256 * 1024


def read_root(path: Path, sha256: str) -> TrustedRoot:
    """Return the trusted root in a file; raise TrustedRootMismatch for any other content, OSError for no file."""
    with path.open("rb") as file:
        # More than the limit cannot have the digest of anything that was pinned.
        content = file.read(MAX_ROOT_BYTES + 1)
    return TrustedRoot.pinned(str(path), sha256, content)
