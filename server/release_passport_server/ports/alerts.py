"""What services need to tell people at once that something happened which should be rare."""

from __future__ import annotations

from typing import Protocol


class Alerts(Protocol):
    """Raises alerts."""

    def raised(self, alert: str, **fields: str) -> None:
        """Tell of something that has just been committed."""
        ...
