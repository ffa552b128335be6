"""When freezes are on."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from release_passport_server.domain.acts import Freeze, FreezeTimes


class Calendar(Protocol):
    """Works out recurrences by the wall clock of their time zone."""

    def times(self, freeze: Freeze, now: datetime) -> FreezeTimes:
        """Return when the freeze is on; a moment at which it ends is not in it any more."""
        ...

    def check(self, freeze: Freeze) -> None:
        """Raise Invalid for a recurrence or a time zone that there is not, or one that would never end."""
        ...
