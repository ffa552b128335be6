"""What waits for the writer: acts and questions, each with somebody who waits for the answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from release_passport_server.ports.judging import CaseKey, Conclusion, Judgement, LoadedCase
from release_passport_server.ports.store import Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller on an event loop; the writer answers from its own thread."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    @property
    def gone(self) -> bool:
        """Say whether nobody waits any more."""
        return self.future.cancelled()


@dataclass(slots=True)
class Act:
    """A write."""

    tenant: str
    run: Callable[[Transaction], Any]
    waiting: Waiting


@dataclass(slots=True)
class Ask:
    """A question to be decided; what is found on the way is kept here for one run of the batch."""

    question: Judgement
    waiting: Waiting
    # The questions with the same request id that came along: they get the same answer.
    followers: list[Ask] = field(default_factory=list)
    key: CaseKey | None = None
    case: LoadedCase | None = None
    conclusion: Conclusion | None = None
    error: Exception | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def tenant(self) -> str:
        """Return whose question it is."""
        return self.question.tenant

    @property
    def request(self) -> tuple[str, str, str]:
        """Return what tells a repeated request by."""
        return self.question.tenant, self.question.principal, self.question.request_id

    def begin(self) -> None:
        """Forget what an earlier run found."""
        self.followers = []
        self.key, self.case, self.conclusion, self.error = None, None, None, None
        self.scopes = frozenset()

    def same(self) -> list[Ask]:
        """Return the question and those followers that ask for the very same."""
        digest = self.question.body_digest
        return [self, *(one for one in self.followers if one.question.body_digest == digest)]


Request = Act | Ask
# A result, or the error to raise.
Answer = tuple[Waiting, object]


def deliver(answers: Iterable[Answer]) -> None:
    """Hand results and errors over, to each event loop at once."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_loop[answer[0].loop].append(answer)
    for loop, theirs in by_loop.items():
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, theirs)


def _resolve(answers: Sequence[Answer]) -> None:
    for waiting, result in answers:
        if waiting.future.done():
            continue
        if isinstance(result, Exception):
            waiting.future.set_exception(result)
        else:
            waiting.future.set_result(result)
