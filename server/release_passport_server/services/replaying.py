"""Decide a recorded case again, out of the store or out of an exported passport."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from release_passport_server.domain.canonical import digest
from release_passport_server.domain.case import Case
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.decide import decide
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
    held_of,
    item_of,
    latches_of,
    moment,
    people_in,
    place_of,
    vouched_of,
)
from release_passport_server.domain.statement import decision_statement
from release_passport_server.domain.verdict import Stage
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.policies import PolicyCompiler
from release_passport_server.services.cases import by_kind


class ReplayResult(StrEnum):
    """How a replay compares with the record."""

    SAME = "SAME"
    ENGINE_DIFFERS = "ENGINE_DIFFERS"
    TAMPERED = "TAMPERED"
    BODY_PURGED = "BODY_PURGED"


class RecordedBodies(Protocol):
    """What a recorded case names by digest."""

    def find_release(self, service: str, environment: str, version: str) -> Release | None: ...

    def evidence_bodies(self, digests: Sequence[str]) -> Mapping[str, bytes]: ...

    def policy_revision(self, policy_id: str, revision: int) -> PolicyDocument | None: ...


class _Purged(Exception):
    """A body that the case names is gone."""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays decisions with the engine of today."""

    compiler: PolicyCompiler
    messages: Messages
    engine_version: str

    def replayed(
        self, bodies: RecordedBodies, record: DecisionRecord
    ) -> tuple[ReplayResult, DecisionDraft | None]:
        """Return how a replay compares, and what it came to; a record that does not fit its digests is TAMPERED."""
        try:
            draft = self.replay(bodies, record)
        except _Purged:
            return ReplayResult.BODY_PURGED, None
        except (ValueError, KeyError, TypeError, IndexError):
            return ReplayResult.TAMPERED, None
        return self.compared(record, draft), draft

    def replay(self, bodies: RecordedBodies, record: DecisionRecord) -> DecisionDraft:
        """Return what the recorded case comes to with the engine of today."""
        case_json: Record = json.loads(record.case_body)
        case = self._case(bodies, record, case_json)
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

    def _case(self, kept: RecordedBodies, record: DecisionRecord, case_json: Record) -> Case:
        release = _release(kept, record, case_json)
        place = place_of(case_json)
        stage = Stage(case_json["stage"])
        attempt = attempt_of(case_json)
        before = case_json["release"]["previousOutcome"]
        bodies = kept.evidence_bodies(evidence_digests(case_json))
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
            policies=tuple(self._policy(kept, fields) for fields in case_json["policies"]),
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
            people=people_in(case_json),
            foreign_images=tuple(case_json.get("foreignImages", ())),
            silenced=frozenset(case_json.get("silenced", ())),
            held=held_of(case_json),
        )

    def _policy(self, bodies: RecordedBodies, fields: list[Any]) -> Policy:
        document = bodies.policy_revision(fields[0], fields[1])
        if document is None or self.compiler.digest(document.spec) != fields[2]:
            raise ValueError(f"policy {fields[0]}@{fields[1]} is not what was recorded")
        return self.compiler.compile(document)


def replay_statement(
    replayer: Replayer, bodies: RecordedBodies, record: DecisionRecord, statement: Mapping[str, Any]
) -> ReplayResult:
    """Return how a replay compares with a recorded decision and with what was signed about it."""
    result, draft = replayer.replayed(bodies, record)
    if result is not ReplayResult.SAME or draft is None:
        return result
    if statement["predicate"]["engineVersion"] != replayer.engine_version:
        return result
    same = json.loads(decision_statement(draft)) == statement
    return ReplayResult.SAME if same else ReplayResult.TAMPERED


def _release(bodies: RecordedBodies, record: DecisionRecord, case_json: Record) -> Release:
    name = DecisionName.parse(record.name).release
    stored = bodies.find_release(name.service, name.environment, name.version)
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
        overtaken_by=facts.get("overtakenBy", ""),
        way_back_from=facts.get("wayBackFrom", ""),
    )
