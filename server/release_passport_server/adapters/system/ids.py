"""New ids and secrets, from the system's random source."""

from __future__ import annotations

import secrets
from datetime import datetime

from release_passport_server.domain.ids import ULID_RANDOM_BYTES, ulid

_AT_ONCE = 256


class SystemIds:
    """Makes ULIDs; see the port."""

    def __init__(self) -> None:
        self._random: list[bytes] = []

    def ulid(self, now: datetime) -> str:
        """Return a new ULID."""
        return ulid(now, self._drawn())

    def _drawn(self) -> bytes:
        """Return random bytes that nobody got before; threads may ask at the same time."""
        try:
            return self._random.pop()
        except IndexError:
            # To draw lets other threads run first: many at once, because a question takes more than a dozen.
            drawn = secrets.token_bytes(_AT_ONCE * ULID_RANDOM_BYTES)
            starts = range(ULID_RANDOM_BYTES, len(drawn), ULID_RANDOM_BYTES)
            self._random.extend(drawn[start : start + ULID_RANDOM_BYTES] for start in starts)
            return drawn[:ULID_RANDOM_BYTES]
