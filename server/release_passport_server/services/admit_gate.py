"""Find out at which gate somebody asks, and whether they may."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.domain.gate import Controller, Gate, Trust
from release_passport_server.domain.ids import is_ulid
from release_passport_server.ports.store import Store
from release_passport_server.ports.tokens import Tokens

# What a gate that does not exist is compared with, so that it takes as long as one that does.
_NO_SECRET = bytes(32)


# What was read of a gate counts for so long: a gate that is deleted or has a new credential is known after that.
REMEMBERED_SECONDS = 1.0
MAX_REMEMBERED = 5000


@dataclass(slots=True)
class AdmitGate:
    """Lets the controller of a gate in; a wrong credential and a gate that there is not are told alike."""

    store: Store
    tokens: Tokens
    _read: OrderedDict[str, tuple[float, tuple[str, Gate]]] = field(default_factory=OrderedDict)

    async def __call__(self, gate_id: str, controller: Controller, credential: str) -> tuple[str, Gate]:
        """Return the tenant and the gate; raise Unauthenticated."""
        found = await self._find(gate_id) if is_ulid(gate_id) else None
        secret = _NO_SECRET if found is None else found[1].secret_hash
        shown = self.tokens.matches(credential, secret)
        if found is None or found[1].delete_time is not None or found[1].controller != controller:
            raise _refused()
        if not shown and found[1].trust != Trust.NETWORK:
            raise _refused()
        return found

    async def _find(self, gate_id: str) -> tuple[str, Gate] | None:
        now = asyncio.get_running_loop().time()
        known = self._read.get(gate_id)
        if known is not None and now - known[0] < REMEMBERED_SECONDS:
            return known[1]
        found = await self.store.find_gate(gate_id)
        if found is not None:
            self._read[gate_id] = (now, found)
            while len(self._read) > MAX_REMEMBERED:
                self._read.popitem(last=False)
        return found


def _refused() -> Unauthenticated:
    text = "there is no such gate, or the credential is not its own"
    return Unauthenticated("CREDENTIAL_INVALID", text)
