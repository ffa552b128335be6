"""Salts of the audit log: random bytes that keep anybody from guessing an entry from its leaf."""

from __future__ import annotations

import secrets

SALT_BYTES = 16
_AT_ONCE = 256
_drawn: list[bytes] = []


def new_salt() -> bytes:
    """Return random bytes that nobody got before; threads may ask at the same time."""
    try:
        return _drawn.pop()
    except IndexError:
        # To draw lets other threads run first, and the writer, for whom all wait, would stand aside for each entry.
        drawn = secrets.token_bytes(_AT_ONCE * SALT_BYTES)
        starts = range(SALT_BYTES, len(drawn), SALT_BYTES)
        _drawn.extend(drawn[start : start + SALT_BYTES] for start in starts)
        return drawn[:SALT_BYTES]
