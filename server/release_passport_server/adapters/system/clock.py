"""This host's clock."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Tells the time; see the port."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)
