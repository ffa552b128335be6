"""Explain a recorded decision by deciding its case again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from release_passport_server.domain.access import Principal, Scope, Verb
from release_passport_server.domain.connector import (
    MAX_CONNECTORS,
    Connector,
    ConnectorHealth,
    ConnectorState,
)
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.ids import DecisionName
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.record import DecisionDraft, DecisionRecord, Page
from release_passport_server.domain.trace import Step, trace
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.replaying import Replayer, ReplayResult

# Findings that a connector may have brought about by bringing nothing.
_LACKING = frozenset({Reason.EVIDENCE_MISSING, Reason.EVIDENCE_STALE, Reason.WATCH_BLIND})


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
        return Explanation(record, result, (*trace(draft.case, draft.outcome), *_unwell(reader, draft)))


def _unwell(reader: Reader, draft: DecisionDraft) -> Iterator[Step]:
    """Yield what keeps connectors of the place from bringing evidence now, where a finding lacks some."""
    if not any(finding.reason in _LACKING for finding in draft.outcome.findings):
        return
    place = draft.case.place
    here = (Scope((place.service,), (place.environment,)),)
    for connector in reader.list_acts(Connector, Page(MAX_CONNECTORS), scopes=here).items:
        if connector.delete_time is not None:
            continue
        name = connector.connector_id
        said = ["it is paused"] if connector.paused else []
        health = reader.find_act(ConnectorHealth, name)
        if health is not None and health.state != ConnectorState.HEALTHY:
            why = "; ".join(filter(None, (health.failure, health.message, *health.problems)))
            since = "" if health.change_time is None else f" since {health.change_time:%Y-%m-%d %H:%M:%S} UTC"
            said.append(f"{health.state}{since}: {why}")
        if said:
            yield Step(
                "connector",
                name,
                f"brings nothing now: {', '.join(said)}; `passport connector test {name}` tells more",
            )
