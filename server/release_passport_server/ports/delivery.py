"""How messages reach people."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Delivery(Protocol):
    """Delivers messages to the one place that was configured."""

    async def deliver(self, message_id: str, time: datetime, body: bytes) -> None:
        """Return once the message was accepted; raise OutboundError where it was not, for any reason."""
        ...
