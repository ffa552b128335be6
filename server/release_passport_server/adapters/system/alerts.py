"""Alerts as log lines with stable fields, and told to whoever counts them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoggedAlerts:
    """Writes a WARNING line for each alert: `alert` says which one it is."""

    listeners: list[Callable[[str], None]] = field(default_factory=list)

    def raised(self, alert: str, **fields: str) -> None:
        """Write the line and tell the listeners."""
        logger.warning("alert: %s", alert, extra={"alert": alert, **fields})
        for listener in self.listeners:
            listener(alert)
