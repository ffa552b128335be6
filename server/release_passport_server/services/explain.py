"""Explain a recorded decision by deciding its case again."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.ids import DecisionName
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.trace import Step, trace
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.replaying import Replayer, ReplayResult


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, the ordered explanation of what its case comes to now, and how that compares."""

    record: DecisionRecord
    result: ReplayResult
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Explain(Replayer):
    """Replay a decision."""

    store: Store
    access: Authorizer

    async def __call__(self, principal: Principal, name: DecisionName) -> Explanation:
        """Return the explanation; a record that does not fit its digests is TAMPERED, never an error."""
        release = name.release
        self.access.require(principal, Verb.READ, service=release.service, environment=release.environment)
        return await self.store.read(principal.tenant, lambda reader: self._explain(reader, str(name)))

    def _explain(self, reader: Reader, name: str) -> Explanation:
        record = reader.find_decision(name)
        if record is None:
            raise NotFound("NOT_FOUND", f"there is no decision {name}")
        result, draft = self.replayed(reader, record)
        if draft is None:
            return Explanation(record, result)
        return Explanation(record, result, trace(draft.case, draft.outcome))
