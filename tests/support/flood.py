"""Many questions at once with what became of each, to be held against the record after a crash."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from release_passport.v1 import decision_pb2
from release_passport.v1 import decision_service_pb2 as pb
from support.story import Story, identity, rendered


@dataclass(frozen=True, slots=True)
class Failed:
    """How a call failed: its code, its stable reason, and after how long to ask again."""

    code: str
    reason: str
    retry_after: float | None


@dataclass(slots=True)
class Asked:
    """One question about a release of its own, and the answer to its last asking."""

    version: str
    request: pb.EvaluateRequest
    answer: pb.EvaluateResponse | None = None
    failed: Failed | None = None
    seconds: float = 0.0

    @property
    def acknowledged(self) -> bool:
        """Say whether the decision was answered."""
        return self.answer is not None

    async def ask(self, story: Story, seconds: float = 30) -> None:
        """Ask; an answer from before is held against the new one."""
        clock = asyncio.get_running_loop().time
        asked = clock()
        stub = story.server.stub("DecisionService")
        metadata = (("authorization", f"Bearer {story.server.token}"),)
        try:
            answer = await stub.Evaluate(self.request, metadata=metadata, timeout=seconds)
        except aio.AioRpcError as error:
            self.failed = failed(error)
        else:
            assert self.answer is None or same(self.answer.decision, answer.decision), self.version
            self.answer, self.failed = answer, None
        finally:
            self.seconds = clock() - asked


@dataclass
class Flood:
    """Questions that are asked together, and something that happens in the midst of their answers."""

    questions: list[Asked]
    acknowledged: int = 0
    ended: int = 0
    _moment: tuple[int, asyncio.Event] | None = None
    failures: Counter[Failed] = field(default_factory=Counter)

    @classmethod
    def about(cls, name: str, size: int) -> Flood:
        """Return questions about new releases, each with evidence of its own; the name is a number with dots."""
        return cls([question(f"{name}.{number:04}") for number in range(size)])

    async def run(
        self, story: Story, *, at: int = 0, crash: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """Ask everything at once; crash when so many were acknowledged."""
        now = asyncio.Event()

        async def one(asked: Asked) -> None:
            await asked.ask(story)
            self.acknowledged += asked.acknowledged
            self.ended += 1
            # What is refused for want of room is not acknowledged: the last answer is early enough then.
            if self.acknowledged >= at or self.ended == len(self.questions):
                now.set()

        async with asyncio.TaskGroup() as group:
            for asked in self.questions:
                group.create_task(one(asked))
            if crash is not None:
                await now.wait()
                await crash()
        self.failures = Counter(asked.failed for asked in self.questions if asked.failed is not None)

    async def answered(self, story: Story) -> None:
        """Ask everything again, with the same request ids, until all is acknowledged."""
        waiting = self.questions
        for _ in range(100):
            await asyncio.gather(*(asked.ask(story) for asked in waiting))
            waiting = [asked for asked in waiting if asked.failed is not None]
            if not waiting:
                return
            delays = [asked.failed.retry_after for asked in waiting if asked.failed is not None]
            assert None not in delays, waiting[0].failed
            await asyncio.sleep(min(delay for delay in delays if delay is not None))
        raise AssertionError(waiting[0].failed)

    async def recorded(self, story: Story) -> None:
        """Find each decision that was acknowledged as it was answered."""

        async def one(answer: pb.EvaluateResponse) -> None:
            request = pb.GetDecisionRequest(name=answer.decision.name)
            found: pb.GetDecisionResponse = await story.call("DecisionService", "GetDecision", request)
            assert same(found.decision, answer.decision), answer.decision.name

        answers = [asked.answer for asked in self.questions if asked.answer is not None]
        # Readers have fewer places than those who decide.
        for some in batches(answers, 32):
            await asyncio.gather(*(one(answer) for answer in some))


def question(version: str) -> Asked:
    """Return a question about a new release with evidence that lets it pass."""
    request = pb.EvaluateRequest(
        identity=identity(version), evidence=[rendered(version, 0)], request_id=f"ask-{version}"
    )
    return Asked(version, request)


def failed(error: aio.AioRpcError) -> Failed:
    """Return how a call failed."""
    trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status = status_pb2.Status.FromString(trailer if isinstance(trailer, bytes) else trailer.encode())
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    delay = None
    for packed in status.details:
        if packed.Is(info.DESCRIPTOR):
            packed.Unpack(info)
        elif packed.Is(retry.DESCRIPTOR):
            packed.Unpack(retry)
            delay = retry.retry_delay.ToTimedelta().total_seconds()
    return Failed(error.code().name, info.reason, delay)


def same(one: decision_pb2.Decision, other: decision_pb2.Decision) -> bool:
    """Say whether two decisions are the same bytes."""
    return _bytes(one) == _bytes(other)


def batches(values: Sequence[pb.EvaluateResponse], size: int) -> Iterable[Sequence[pb.EvaluateResponse]]:
    """Return the values, so many at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)
