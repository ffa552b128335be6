"""Find out at which gate somebody asks, and whether they may."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.domain.gate import Controller, Gate, Trust
from release_passport_server.domain.ids import is_ulid
from release_passport_server.ports.store import Store
from release_passport_server.ports.tokens import Tokens

# What a gate that does not exist is compared with, so that it takes as long as one that does.
_NO_SECRET = bytes(32)


@dataclass(frozen=True, slots=True)
class AdmitGate:
    """Lets the controller of a gate in; a wrong credential and a gate that there is not are told alike."""

    store: Store
    tokens: Tokens

    async def __call__(self, gate_id: str, controller: Controller, credential: str) -> tuple[str, Gate]:
        """Return the tenant and the gate; raise Unauthenticated."""
        found = await self.store.find_gate(gate_id) if is_ulid(gate_id) else None
        secret = _NO_SECRET if found is None else found[1].secret_hash
        shown = self.tokens.matches(credential, secret)
        if found is None or found[1].delete_time is not None or found[1].controller != controller:
            raise _refused()
        if not shown and found[1].trust != Trust.NETWORK:
            raise _refused()
        return found


def _refused() -> Unauthenticated:
    text = "there is no such gate, or the credential is not its own"
    return Unauthenticated("CREDENTIAL_INVALID", text)
