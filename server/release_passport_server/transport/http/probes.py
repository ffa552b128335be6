"""What an orchestrator asks: does the process live, and may it have traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from release_passport_server.domain.errors import PassportError
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.roles import EVERY_ROLE, Roles, in_words

_REMEMBERED_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0


class Readiness:
    """Says whether traffic is welcome; the store is asked at most once a second, however many ask."""

    def __init__(self, limits: Limits, store_ready: Callable[[], Awaitable[None]]) -> None:
        self._limits = limits
        self._store_ready = store_ready
        self._lock = asyncio.Lock()
        self._obstacle: str | None = None
        self._fresh_until = float("-inf")

    async def obstacle(self) -> str | None:
        """Return why there should be no traffic, in words; None where all is well."""
        if self._limits.is_draining:
            return "shutting down"
        async with self._lock:
            clock = asyncio.get_running_loop().time
            if clock() >= self._fresh_until:
                self._obstacle = await self._ask_store()
                self._fresh_until = clock() + _REMEMBERED_SECONDS
            return self._obstacle

    async def _ask_store(self) -> str | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._store_ready()
        except PassportError as error:
            return error.message
        except TimeoutError:
            return "the store does not answer"
        except Exception:  # noqa: BLE001 - not ready is the answer to whatever it was
            return "the store cannot be used; the log says why"
        return None


def probe_routes(readiness: Readiness, roles: Roles = EVERY_ROLE) -> list[Route]:
    """Return `/livez` and `/readyz`, which says what it is ready for."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        obstacle = await readiness.obstacle()
        if obstacle is None:
            return PlainTextResponse(f"ready: {in_words(roles)}\n")
        return PlainTextResponse(f"not ready: {obstacle}\n", status_code=503)

    return [Route("/livez", livez), Route("/readyz", readyz)]
