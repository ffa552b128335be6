"""What signatures cost Evaluate, and how far the log is behind it: two servers side by side, one without envelopes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grpc import aio

from perf.honesty import leaves, require_recorded
from perf.load import EVALUATE, BadAnswer, Target, closed_loop, exchanges, percentile
from perf.report import Figure
from perf.servers import Served
from perf.stage import NAMES, Stage, processor_seconds
from perf.workload import Version, Workload, check, evaluate
from release_passport.v1 import audit_service_pb2, audit_service_pb2_grpc, decision_service_pb2

Answer = decision_service_pb2.EvaluateResponse
_OF_UNSIGNED = 0.85
_MOST_SECONDS_BEHIND = 15.0
_LOOK_SECONDS = 0.2
_WARM_UP = 192


@dataclass(slots=True)
class _Side:
    """One of the two servers."""

    served: Served
    work: Workload
    answers: list[Answer] = field(default_factory=list)

    async def ask(self, count: int, in_flight: int, inline: int) -> tuple[float, float]:
        """Return the calls a second and the processor time of a call, in µs."""
        versions: Sequence[Version] = await self.work.versions(count)
        now = datetime.now(UTC)
        calls = exchanges(EVALUATE, [evaluate(version, inline=inline, now=now) for version in versions])
        before = processor_seconds(self.served.pid)
        run = await closed_loop(self.work.target, calls, in_flight=in_flight)
        used = processor_seconds(self.served.pid) - before
        answers = check(versions, run)
        self.answers += answers
        return run.per_second, used / count * 1e6


@dataclass(slots=True)
class _Checkpoints:
    """Sees how the log of a server grows."""

    target: Target
    # When a tree of so many leaves was first seen.
    seen: list[tuple[float, int]] = field(default_factory=list)
    refused: str = ""

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look at the checkpoint again and again for a while."""
        async with aio.insecure_channel(f"{self.target.host}:{self.target.port}") as channel:
            stub = audit_service_pb2_grpc.AuditServiceStub(channel)
            task = asyncio.create_task(self._look(stub))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def covers(self, leaf: int) -> None:
        """Return when the tree has a leaf; raise BadAnswer where it never comes."""
        for _ in range(int(60 / _LOOK_SECONDS)):
            if self.seen and self.seen[-1][1] > leaf:
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise BadAnswer(f"leaf {leaf} is in no checkpoint after a minute: {self.seen[-1:]} {self.refused}")

    def time_of(self, leaf: int) -> float:
        """Return when the tree was first seen to have a leaf."""
        return next(time for time, size in self.seen if size > leaf)

    async def _look(self, stub: audit_service_pb2_grpc.AuditServiceStub) -> None:
        metadata = self.target.metadata
        request = audit_service_pb2.GetCheckpointRequest()
        while True:
            try:
                answer = await stub.GetCheckpoint(request, metadata=metadata)  # type: ignore[misc]
            except aio.AioRpcError as error:
                # There is none yet, or the server has no room to read now.
                self.refused = error.details() or ""
            else:
                if not self.seen or answer.size > self.seen[-1][1]:
                    self.seen.append((datetime.now(UTC).timestamp(), answer.size))
            await asyncio.sleep(_LOOK_SECONDS)


async def signing(stage: Stage) -> None:
    """Measure Evaluate with signatures against Evaluate without, and the log's delay under that load."""
    for store in stage.stores():
        await _measure(stage, store)


async def _measure(stage: Stage, store: str) -> None:
    options = stage.options
    print(f"Evaluate with and without signatures on {NAMES[store]}", flush=True)
    sides = {name: await _side(stage, store, name) for name in ("signed", "unsigned")}
    found: defaultdict[str, list[float]] = defaultdict(list)
    used: defaultdict[str, list[float]] = defaultdict(list)
    log, other = (_Checkpoints(sides[name].served.target) for name in ("signed", "unsigned"))
    # Both are looked at, for looking takes time too.
    async with log.watched(), other.watched():
        for number in range(options.rounds):
            # Neither always comes first.
            for name in sorted(sides, reverse=bool(number % 2)):
                rate, cost = await sides[name].ask(options.calls, options.in_flight, options.inline)
                found[name].append(rate)
                used[name].append(cost)
        signed = sides["signed"]
        at = leaves(signed.served.store_url)
        await log.covers(max(at.values()))
    for side in sides.values():
        require_recorded(side.served.store_url, side.answers)
    _require_signed(sides)
    behind = _behind(signed.answers, at, log)
    stage.report.add(
        Figure(f"Evaluate on {NAMES[store]} without signatures", "/s", found["unsigned"]),
        Figure(
            f"Evaluate on {NAMES[store]} with signatures",
            "/s",
            found["signed"],
            found["unsigned"],
            at_least=_OF_UNSIGNED,
        ),
        Figure("  server's processor time a call", "µs", used["signed"], used["unsigned"]),
        Figure("  decision to its checkpoint, p50", "s", [percentile(behind, 0.5)]),
        Figure(
            "  decision to its checkpoint, p99",
            "s",
            [percentile(behind, 0.99)],
            at_most=_MOST_SECONDS_BEHIND,
            note=f"{len(behind):,} leaves",
        ),
    )


async def _side(stage: Stage, store: str, name: str) -> _Side:
    served = stage.passport(store, program="" if name == "signed" else "unsigned.py")
    side = _Side(served, Workload(served.target))
    await side.work.set_up()
    await side.ask(_WARM_UP, stage.options.in_flight, stage.options.inline)
    return side


def _require_signed(sides: dict[str, _Side]) -> None:
    """Raise BadAnswer unless one server signed everything and the other nothing."""
    if not all(answer.envelope for answer in sides["signed"].answers):
        raise BadAnswer("a decision was not signed")
    if any(answer.envelope for answer in sides["unsigned"].answers):
        raise BadAnswer("a decision was signed that should not have been")


def _behind(answers: Collection[Answer], at: dict[str, int], log: _Checkpoints) -> list[float]:
    """Return for each decision how long it was in no checkpoint; it began before the commit, so it is no less."""
    # Those of the warm-up were made before anybody looked.
    measured = list(answers)[_WARM_UP:]
    return [
        log.time_of(at[answer.decision.name]) - answer.decision.decide_time.ToNanoseconds() / 1e9
        for answer in measured
    ]
