"""Where new ids and secrets come from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Ids(Protocol):
    """Makes ids that sort by time, and secrets that nobody can guess."""

    def ulid(self, now: datetime) -> str:
        """Return a new ULID."""
        ...

    def token(self, token_id: str) -> tuple[str, bytes]:
        """Return a new bearer secret for a token, and the hash to keep."""
        ...
