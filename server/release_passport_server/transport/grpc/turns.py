"""Calls that were let in begin one after the other, so that a refusal never waits behind a burst of them."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Lets one call begin in each pass of the event loop; what is cheap happens between any two of them."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

    async def take(self) -> None:
        """Return when it is the call's turn."""
        loop = asyncio.get_running_loop()
        if self._taken:
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append(turn)
            await turn
            return
        self._taken = True
        loop.call_soon(self._next)

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            # Who gave up in the meantime has no turn.
            if not turn.done():
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._taken = False
