"""How long the call that is being answered may take, for handlers that wait for others."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

# When the call has to end, by the event loop's clock.
_END: ContextVar[float | None] = ContextVar("_END", default=None)


def ends_at(end: float) -> None:
    """Say when the call that this task answers has to end."""
    _END.set(end)


def remaining(most: float) -> float:
    """Return how many seconds are left of the call, at most so many."""
    end = _END.get()
    return most if end is None else max(min(end - asyncio.get_running_loop().time(), most), 0.0)
