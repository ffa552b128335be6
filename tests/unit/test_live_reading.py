"""What gates are about is read once for all who ask at the same time, and never before they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.gate import Controller, Gate
from release_passport_server.ports.workloads import ObjectRef
from release_passport_server.services import live_reading
from release_passport_server.services.live_reading import LiveReading

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GATE = Gate(
    gate_id="01J00000000000000000000001",
    title="",
    controller=Controller.ARGO_ROLLOUTS,
    cluster="eu-1",
    namespace="shop",
    object_name="checkout",
    object_uid="",
    service="checkout",
    environment="prod",
    hooks=("inline",),
    on_rollback="RECOMMEND",
    trust="CREDENTIAL",
    injected=(),
    secret_hash=b"",
    creator="people/admin",
    create_time=NOW,
    update_time=NOW,
)


@dataclass
class Rollouts:
    """Answers with a Rollout whose uid is the number of the read, when it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    twice: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[ObjectRef] = field(default_factory=list)
    refused: bool = False

    def knows(self, tenant: str, cluster: str) -> bool:
        return True

    async def get(self, tenant: str, wanted: ObjectRef) -> Mapping[str, Any]:
        self.begun.append(wanted)
        number = len(self.begun)
        if number == 2:
            self.twice.set()
        await self.let.wait()
        if self.refused:
            raise NotFound("NOT_FOUND", "there is none")
        template = {"spec": {"containers": [{"name": "app", "image": "shop@sha256:" + "a" * 64}]}}
        metadata = {"name": wanted.name, "uid": str(number)}
        return {"kind": wanted.kind, "metadata": metadata, "spec": {"template": template}, "status": {}}


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_ask_at_once_share_a_read() -> None:
    rollouts = Rollouts()
    reading = LiveReading(rollouts)
    asked = [asyncio.create_task(reading.read("acme", GATE)) for _ in range(50)]
    await _turns()
    rollouts.let.set()
    found = await asyncio.gather(*asked)
    assert [one.uid for one in found] == ["1"] * 50
    assert len(rollouts.begun) == 1


async def test_who_asks_while_a_read_runs_gets_one_that_began_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_reading, "GATHERED_SECONDS", 60.0)
    rollouts = Rollouts()
    reading = LiveReading(rollouts)
    early = asyncio.create_task(reading.read("acme", GATE))
    await _turns()
    late = [asyncio.create_task(reading.read("acme", GATE)) for _ in range(20)]
    await _turns()
    assert len(rollouts.begun) == 1
    rollouts.let.set()
    assert (await early).uid == "1"
    assert {(await one).uid for one in late} == {"2"}
    assert len(rollouts.begun) == 2


async def test_a_read_that_hangs_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_reading, "GATHERED_SECONDS", 0.0)
    rollouts = Rollouts()
    reading = LiveReading(rollouts)
    hanging = asyncio.create_task(reading.read("acme", GATE))
    await _turns()
    other = asyncio.create_task(reading.read("acme", GATE))
    await rollouts.twice.wait()
    rollouts.let.set()
    assert ((await hanging).uid, (await other).uid) == ("1", "2")


async def test_who_gives_up_takes_the_read_from_nobody_else() -> None:
    rollouts = Rollouts()
    reading = LiveReading(rollouts)
    gone, stays = (asyncio.create_task(reading.read("acme", GATE)) for _ in range(2))
    await _turns()
    gone.cancel()
    await _turns()
    rollouts.let.set()
    assert (await stays).uid == "1"
    assert gone.cancelled()


async def test_everybody_is_told_that_the_object_cannot_be_read_and_the_next_one_tries_again() -> None:
    rollouts = Rollouts(refused=True)
    rollouts.let.set()
    reading = LiveReading(rollouts)
    asked = [asyncio.create_task(reading.read("acme", GATE)) for _ in range(3)]
    for one in asked:
        with pytest.raises(Precondition, match="cannot be read"):
            await one
    rollouts.refused = False
    assert (await reading.read("acme", GATE)).uid == "2"


async def test_a_gate_that_was_changed_shares_nothing_with_what_it_was() -> None:
    rollouts = Rollouts()
    reading = LiveReading(rollouts)
    changed = replace(GATE, object_name="basket")
    asked = [asyncio.create_task(reading.read("acme", one)) for one in (GATE, changed)]
    await _turns()
    rollouts.let.set()
    await asyncio.gather(*asked)
    assert [one.name for one in rollouts.begun] == ["checkout", "basket"]


async def test_a_read_that_waits_for_its_turn_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_reading, "AT_ONCE", 1)
    rollouts = Rollouts()
    reading = LiveReading(rollouts)
    asked = [asyncio.create_task(reading.read("acme", GATE))]
    await _turns()
    for _ in range(20):
        asked.append(asyncio.create_task(reading.read("acme", replace(GATE, object_name="basket"))))
        await _turns()
    assert [one.name for one in rollouts.begun] == ["checkout"]
    rollouts.let.set()
    assert [one.uid for one in await asyncio.gather(*asked)] == ["1"] + ["2"] * 20
    assert [one.name for one in rollouts.begun] == ["checkout", "basket"]


async def test_a_cluster_that_hangs_keeps_no_other_waiting_and_holds_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_reading, "AT_ONCE", 1)
    rollouts = Rollouts()
    reading = LiveReading(rollouts)
    hanging = asyncio.create_task(reading.read("acme", GATE))
    await _turns()
    other = asyncio.create_task(reading.read("acme", replace(GATE, cluster="us-1")))
    await rollouts.twice.wait()
    monkeypatch.setattr(live_reading, "READ_SECONDS", 0.0)
    with pytest.raises(Precondition, match="did not answer"):
        await reading.read("acme", replace(GATE, object_name="basket"))
    assert len(rollouts.begun) == 2
    rollouts.let.set()
    await asyncio.gather(hanging, other)
    monkeypatch.undo()
    assert (await reading.read("acme", replace(GATE, object_name="basket"))).uid == "3"
