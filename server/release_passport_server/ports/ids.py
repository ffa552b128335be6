"""Where new ids come from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Ids(Protocol):
    """Makes ids that sort by time."""

    def ulid(self, now: datetime) -> str:
        """Return a new ULID."""
        ...
