"""What waits for the writer: acts and questions, each with somebody who waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from release_passport_server.ports.store import CaseKey, Conclusion, Judged, Judgement, Transaction


@dataclass(slots=True)
class Waiting:
    """A caller on an event loop; the writer answers from its own thread."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    @property
    def gone(self) -> bool:
        """Say whether nobody waits any more."""
        return self.future.cancelled()

    def answer(self, result: object) -> None:
        """Hand the result over."""
        self._call(self._set_result, result)

    def fail(self, error: BaseException) -> None:
        """Hand an error over."""
        self._call(self._set_exception, error)

    def _call(self, act: Callable[[Any], None], value: object) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(act, value)

    def _set_result(self, result: object) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _set_exception(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


@dataclass(slots=True)
class Act:
    """A write that runs in a savepoint of its own."""

    tenant: str
    run: Callable[[Transaction], Any]
    waiting: Waiting


@dataclass(slots=True)
class Ask:
    """A question to be decided; what is found on the way is kept here for one run of the batch."""

    question: Judgement
    waiting: Waiting
    key: CaseKey | None = None
    conclusion: Conclusion | None = None
    judged: Judged | None = None
    error: Exception | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def tenant(self) -> str:
        """Return whose question it is."""
        return self.question.tenant

    def begin(self) -> None:
        """Forget what an earlier run found."""
        self.key, self.conclusion, self.judged, self.error = None, None, None, None
        self.scopes = frozenset()


Request = Act | Ask
