"""Where the time comes from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time of this host; what is stored takes the time of its transaction instead."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...
