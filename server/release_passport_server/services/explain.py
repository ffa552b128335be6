"""Explain a recorded decision by deciding its case again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.canonical import digest
from release_passport_server.domain.case import Case
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.ids import DecisionName
from release_passport_server.domain.outcome import SEMANTICS_VERSION
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.record import DecisionDraft, DecisionRecord
from release_passport_server.domain.release import Release
from release_passport_server.domain.replay import (
    Record,
    attempt_of,
    evidence_digests,
    ground_of,
    item_of,
    latches_of,
    moment,
    place_of,
    vouched_of,
)
from release_passport_server.domain.trace import Step, trace
from release_passport_server.domain.verdict import Stage
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.policies import PolicyCompiler
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.cases import by_kind


class ReplayResult(StrEnum):
    """How a replay compares with the record."""

    SAME = "SAME"
    ENGINE_DIFFERS = "ENGINE_DIFFERS"
    TAMPERED = "TAMPERED"
    BODY_PURGED = "BODY_PURGED"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, the ordered explanation of what its case comes to now, and how that compares."""

    record: DecisionRecord
    result: ReplayResult
    steps: tuple[Step, ...] = ()


class _Purged(Exception):
    """A body that the case names is gone."""


@dataclass(frozen=True, slots=True)
class Explain:
    """Replay a decision."""

    store: Store
    access: Authorizer
    compiler: PolicyCompiler
    messages: Messages
    engine_version: str

    async def __call__(self, principal: Principal, name: DecisionName) -> Explanation:
        """Return the explanation; a record that does not fit its digests is TAMPERED, never an error."""
        release = name.release
        self.access.require(principal, Verb.READ, service=release.service, environment=release.environment)
        return await self.store.read(principal.tenant, lambda reader: self._explain(reader, str(name)))

    def _explain(self, reader: Reader, name: str) -> Explanation:
        record = reader.find_decision(name)
        if record is None:
            raise NotFound("NOT_FOUND", f"there is no decision {name}")
        try:
            draft = self.replay(reader, record)
        except _Purged:
            return Explanation(record, ReplayResult.BODY_PURGED)
        except (ValueError, KeyError, TypeError, IndexError):
            return Explanation(record, ReplayResult.TAMPERED)
        steps = trace(draft.case, draft.outcome)
        return Explanation(record, self.compared(record, draft), steps)

    def replay(self, reader: Reader, record: DecisionRecord) -> DecisionDraft:
        """Return what the recorded case comes to with the engine of today."""
        case_json: Record = json.loads(record.case_body)
        case = self._case(reader, record, case_json)
        now = moment(case_json["now"])
        recorded = self.messages.recorded(record.body)
        return DecisionDraft(
            case=case,
            outcome=decide(case, now=now),
            now=now,
            engine_version=self.engine_version,
            case_digest=digest(record.case_body),
            considered_revision=case_json["consideredRevision"],
            name=record.name,
            supersedes=recorded.supersedes,
            renews=recorded.renews,
        )

    def compared(self, record: DecisionRecord, draft: DecisionDraft) -> ReplayResult:
        """Return how a replay compares with the record: byte for byte, or by outcome where the engine is another."""
        recorded = self.messages.recorded(record.body)
        if recorded.case_digest != draft.case_digest or recorded.outcome_digest != record.outcome_digest:
            return ReplayResult.TAMPERED
        if self.messages.decision_body(draft) == record.body:
            return ReplayResult.SAME
        if recorded.engine_version == self.engine_version and recorded.semantics_version == SEMANTICS_VERSION:
            return ReplayResult.TAMPERED
        same = draft.outcome.digest == record.outcome_digest
        return ReplayResult.SAME if same else ReplayResult.ENGINE_DIFFERS

    def _case(self, reader: Reader, record: DecisionRecord, case_json: Record) -> Case:
        release = _release(reader, record, case_json)
        place = place_of(case_json)
        stage = Stage(case_json["stage"])
        attempt = attempt_of(case_json)
        before = case_json["release"]["previousOutcome"]
        bodies = reader.evidence_bodies(evidence_digests(case_json))
        if set(evidence_digests(case_json)) - set(bodies):
            raise _Purged
        items = [
            item_of(fields, self.messages.facts(bodies[fields[6]], fields[6]))
            for fields in case_json["evidence"]
        ]
        return Case(
            release=release,
            place=place,
            stage=stage,
            policies=tuple(self._policy(reader, fields) for fields in case_json["policies"]),
            evidence=by_kind(items),
            release_facts=self.messages.release_facts(release, place, stage),
            attempt=attempt,
            attempt_facts=None if attempt is None else self.messages.attempt_facts(attempt, before),
            ground=ground_of(case_json),
            latches=latches_of(case_json),
            rollback_target=case_json["rollbackTarget"],
            previous_outcome=before,
            vouched=vouched_of(case_json),
            dev=case_json["dev"],
        )

    def _policy(self, reader: Reader, fields: list[Any]) -> Policy:
        document = reader.policy_revision(fields[0], fields[1])
        if document is None or self.compiler.digest(document.spec) != fields[2]:
            raise ValueError(f"policy {fields[0]}@{fields[1]} is not what was recorded")
        return self.compiler.compile(document)


def _release(reader: Reader, record: DecisionRecord, case_json: Record) -> Release:
    name = DecisionName.parse(record.name).release
    stored = reader.find_release(name.service, name.environment, name.version)
    facts = case_json["release"]
    if stored is None or stored.identity.digest != facts["digest"]:
        raise ValueError("the release is not what was recorded")
    return Release(
        stored.name,
        stored.identity,
        stored.creator,
        stored.create_time,
        stored.revision,
        facts["previous"],
        facts["isFirst"],
        facts["isRestore"],
    )
