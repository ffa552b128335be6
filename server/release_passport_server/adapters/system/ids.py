"""New ids and secrets, from the system's random source."""

from __future__ import annotations

import secrets
from datetime import datetime

from release_passport_server.domain.ids import ULID_RANDOM_BYTES, ulid


class SystemIds:
    """Makes ULIDs; see the port."""

    def ulid(self, now: datetime) -> str:
        """Return a new ULID."""
        return ulid(now, secrets.token_bytes(ULID_RANDOM_BYTES))
