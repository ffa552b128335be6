"""Record what a gate saw take traffic that it had not let begin."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.access import Scope
from release_passport_server.domain.bypass import Running
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.gate import Gate
from release_passport_server.domain.kind import SubjectType
from release_passport_server.ports.connector import Observations
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Transaction
from release_passport_server.services.bypasses import ACTION, Bypasses
from release_passport_server.services.intake import put_items


@dataclass(frozen=True, slots=True)
class GateSeer:
    """A gate as somebody who sees what runs."""

    service: str
    environment: str
    source: str

    @classmethod
    def of(cls, gate: Gate) -> GateSeer:
        """Return the gate so."""
        return cls(gate.service, gate.environment, gate.principal)


@dataclass(frozen=True, slots=True)
class GateSkips:
    """Records bypasses as the connectors' are: evidence, an entry to review, and people are told."""

    bypasses: Bypasses
    observations: Observations
    ids: Ids

    def record(self, tx: Transaction, gate: Gate, digests: tuple[str, ...]) -> None:
        """Record that these digests take traffic, unless a rollout of them was let begin."""
        seen = Running(gate.place, frozenset(digests), steps_skipped=False)
        subject = Subject(SubjectType.WORKLOAD, f"{gate.service}/{gate.environment}")
        scope = Scope((gate.service,), (gate.environment,))
        items = [
            self.observations.item(found, subject, gate.principal, scope)
            for found in self.bypasses.judged(tx, GateSeer.of(gate), seen)
        ]
        if items:
            put_items(tx, items, self.ids, gate.principal, ACTION)
