"""StreamEvidence: how many items a second several connectors get in at once, over client streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from grpc import aio

from perf.honesty import count
from perf.load import BadAnswer, Target
from perf.report import Figure
from perf.servers import Served
from perf.stage import NAMES, Stage
from perf.workload import Version, Workload, evidence
from release_passport.v1 import evidence_pb2, evidence_service_pb2

_STREAM = "/release_passport.v1.EvidenceService/StreamEvidence"
STREAMS, ITEMS_A_MESSAGE = 4, 100
_AT_LEAST = {"pg": 5000.0}


async def streams(stage: Stage, served: dict[str, tuple[Served, Workload]]) -> None:
    """Measure items a second on each store."""
    items = 2_000 if stage.options.quick else 20_000
    print(f"StreamEvidence, {STREAMS} streams, {stage.options.rounds} rounds of {items} items", flush=True)
    found: dict[str, list[float]] = {store: [] for store in served}
    for number in range(stage.options.rounds):
        for store, (server, work) in served.items():
            before = count(server.store_url, "evidence")
            messages = _messages(work, items, number)
            found[store].append(await _stream(work.target, messages))
            more = count(server.store_url, "evidence") - before
            if more != items:
                raise BadAnswer(f"{items} items were accepted, and {more} are in the store")
    for store, values in found.items():
        name = f"StreamEvidence on {NAMES[store]}"
        stage.report.add(Figure(name, "items/s", values, at_least=_AT_LEAST.get(store)))


def _messages(work: Workload, items: int, number: int) -> list[bytes]:
    """Return messages of a hundred items, of the kinds that connectors and pipelines send."""
    now = datetime.now(UTC)
    made: list[bytes] = []
    waiting: list[evidence_pb2.EvidenceInput] = []
    release = 0
    while len(made) * ITEMS_A_MESSAGE < items:
        version = Version(f"service-{release % work.services}", f"9.{number}.{release}-{work.series}")
        # But for those about the release itself, which is not registered.
        waiting += [item for item in evidence(version, now) if not item.subject.release]
        release += 1
        if len(waiting) >= ITEMS_A_MESSAGE:
            full, waiting = waiting[:ITEMS_A_MESSAGE], waiting[ITEMS_A_MESSAGE:]
            made.append(evidence_service_pb2.StreamEvidenceRequest(evidence=full).SerializeToString())
    return made


async def _stream(target: Target, messages: Sequence[bytes]) -> float:
    """Return the items a second; raise BadAnswer unless each was accepted."""
    channels = [aio.insecure_channel(f"{target.host}:{target.port}") for _ in range(STREAMS)]
    try:
        await asyncio.gather(*(channel.channel_ready() for channel in channels))
        started = perf_counter()
        answers = await asyncio.gather(
            *(_one(channel, target, messages[at::STREAMS]) for at, channel in enumerate(channels))
        )
        seconds = perf_counter() - started
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))
    accepted = sum(answer.accepted_count for answer in answers)
    if accepted != len(messages) * ITEMS_A_MESSAGE:
        raise BadAnswer(f"items were refused: {[answer.refused[:1] for answer in answers]}")
    return accepted / seconds


async def _one(
    channel: aio.Channel, target: Target, messages: Sequence[bytes]
) -> evidence_service_pb2.StreamEvidenceResponse:
    async def sent() -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    call: Any = channel.stream_unary(
        _STREAM, response_deserializer=evidence_service_pb2.StreamEvidenceResponse.FromString
    )
    answer: evidence_service_pb2.StreamEvidenceResponse = await call(sent(), metadata=target.metadata)
    return answer
