"""Health for everybody: the one service that asks for no credential, and so gives little away."""

from __future__ import annotations

from typing import Any

import grpc
from grpc_health.v1 import health

MAX_WATCHERS = 256


class Health(health.aio.HealthServicer):
    """grpc.health.v1 with a bound on how many may watch at once."""

    def __init__(self) -> None:
        super().__init__()
        self._watchers = 0

    async def Watch(self, request: Any, context: Any) -> None:  # noqa: N802 - the name is the proto's
        """Send the state, and each change of it."""
        if self._watchers >= MAX_WATCHERS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many watch health; poll Check")
        self._watchers += 1
        try:
            await super().Watch(request, context)
        finally:
            self._watchers -= 1
