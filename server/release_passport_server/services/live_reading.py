"""Read what a gate is about, no more often than it takes to refuse, and always before something opens."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict
from dataclasses import dataclass, field

from release_passport_server.domain.errors import PassportError, Precondition
from release_passport_server.domain.gate import Controller, Gate
from release_passport_server.domain.live_workload import LiveWorkload, canary_of, rollout_of, target_of
from release_passport_server.ports.workloads import ClusterObjects, ObjectRef

logger = logging.getLogger(__name__)

# A workload that cannot be read in this time holds.
READ_SECONDS = 1.0
# Refusals are made from one read in this time at most, so that what was read together is not read again together.
REMEMBERED_SECONDS = 5.0
REMEMBERED_LEAST = 0.6
MAX_REMEMBERED = 2000
# Whoever asks while a gate's objects are being read waits for that so long, and shares the read after it.
GATHERED_SECONDS = 0.25
# So many reads of one cluster run at once. One that waits for its turn has not begun: whoever asks meanwhile shares it.
AT_ONCE = 16

_OWNERS = {
    Controller.FLAGGER: ("flagger.app/v1beta1", "Canary"),
    Controller.ARGO_ROLLOUTS: ("argoproj.io/v1alpha1", "Rollout"),
}


@dataclass(slots=True)
class LiveReading:
    """Reads the objects of gates."""

    objects: ClusterObjects
    # What was read of each gate, and until when it is good enough to refuse.
    _seen: OrderedDict[str, tuple[float, LiveWorkload]] = field(default_factory=OrderedDict)
    _running: dict[tuple[str, Gate], asyncio.Task[LiveWorkload]] = field(default_factory=dict)
    _next: dict[tuple[str, Gate], asyncio.Task[LiveWorkload]] = field(default_factory=dict)
    _turns: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    def remembered(self, gate: Gate) -> LiveWorkload | None:
        """Return what was read a moment ago: enough to refuse, never to open."""
        seen = self._seen.get(gate.gate_id)
        if seen is None or asyncio.get_running_loop().time() > seen[0]:
            return None
        return seen[1]

    async def read(self, tenant: str, gate: Gate) -> LiveWorkload:
        """Return what a read that begins after this call finds; raise Precondition `WORKLOAD_UNREADABLE`.

        However many ask at once, a gate's objects are read for all of them together.
        """
        key = (tenant, gate)
        shared = self._next.get(key)
        if shared is None:
            shared = asyncio.create_task(self._in_turn(key, self._running.get(key)))
            self._next[key] = shared
        # Who gives up takes the read from nobody else.
        return await asyncio.shield(shared)

    async def _in_turn(
        self, key: tuple[str, Gate], before: asyncio.Task[LiveWorkload] | None
    ) -> LiveWorkload:
        if before is not None:
            await asyncio.wait((before,), timeout=GATHERED_SECONDS)
        turns = self._turns.setdefault(key[1].cluster, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(READ_SECONDS), turns:
                return await self._begun(key)
        except TimeoutError:
            raise _unreadable("it did not answer in a second") from None
        finally:
            # Where its turn never came.
            if self._next.get(key) is asyncio.current_task():
                del self._next[key]

    async def _begun(self, key: tuple[str, Gate]) -> LiveWorkload:
        # From here on, whoever asks asks for another read.
        mine = self._running[key] = self._next.pop(key)
        try:
            return await self._fresh(*key)
        finally:
            if self._running.get(key) is mine:
                del self._running[key]

    async def _fresh(self, tenant: str, gate: Gate) -> LiveWorkload:
        began = asyncio.get_running_loop().time()
        try:
            found = await self._read(tenant, gate)
        except PassportError as error:
            raise _unreadable(error.message) from error
        except Exception as error:
            logger.exception("an object of a gate could not be read", extra={"gate": gate.gate_id})
            raise _unreadable("it could not be read") from error
        until = began + REMEMBERED_SECONDS * random.uniform(REMEMBERED_LEAST, 1.0)  # noqa: S311  No secret.
        self._seen[gate.gate_id] = (until, found)
        self._seen.move_to_end(gate.gate_id)
        while len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
        return found

    async def _read(self, tenant: str, gate: Gate) -> LiveWorkload:
        api_version, kind = _OWNERS[Controller(gate.controller)]
        owner = await self.objects.get(
            tenant, ObjectRef(gate.cluster, api_version, kind, gate.namespace, gate.object_name)
        )
        target = target_of(gate, owner)
        if target is None:
            return rollout_of(owner)
        of_target = await self.objects.get(
            tenant, ObjectRef(gate.cluster, target[0], target[1], gate.namespace, target[2])
        )
        if gate.controller == Controller.FLAGGER:
            return canary_of(owner, of_target)
        return rollout_of(owner, of_target)


def _unreadable(why: str) -> Precondition:
    return Precondition("WORKLOAD_UNREADABLE", f"the workload cannot be read: {why}")
