"""The messages that services need, made and read."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.message import DecodeError, Message

from release_passport.v1 import evidence_pb2, rule_context_pb2, verdict_pb2
from release_passport_server.domain.bypass import Running
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.record import DecisionDraft, Recorded
from release_passport_server.domain.release import Attempt, Place, Release
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.domain.watch_window import Look, Signal, seen_since
from release_passport_server.ports.messages import Limits
from release_passport_server.wire.decision import decision_body, decision_from_body
from release_passport_server.wire.enums import stage_to_proto
from release_passport_server.wire.evidence import facts_digest
from release_passport_server.wire.facts import facts_key, facts_message
from release_passport_server.wire.fingerprint import identities
from release_passport_server.wire.times import duration, moment, timestamp

_RESULTS = {
    "PASSED": evidence_pb2.ROLLOUT_RESULT_PASSED,
    "ROLLED_BACK": evidence_pb2.ROLLOUT_RESULT_ROLLED_BACK,
}


class WireMessages:
    """Makes and reads the contract's messages; see the port for what each returns."""

    def decision_body(self, draft: DecisionDraft) -> bytes:
        """Return the bytes of the Decision message to record."""
        return decision_body(draft)

    def limits(self, body: bytes) -> Limits:
        """Return how far the decision of recorded bytes goes; without a canary as far as it likes."""
        message = decision_from_body(body)
        canary = message.canary if message.HasField("canary") else None
        return Limits(
            max_weight=100 if canary is None else canary.max_weight,
            steps=() if canary is None else tuple(canary.steps),
            weakenings=tuple(message.weakenings),
            dev=message.dev,
            watched=message.watch.duration.ToTimedelta(),
            reasons=tuple(
                dict.fromkeys(
                    one.reason for one in message.findings if one.verdict != verdict_pb2.VERDICT_ALLOW
                )
            ),
            restores=any(one.reason == Reason.RESTORES_PREVIOUS for one in message.findings),
            unwatched=any(one.reason == Reason.NOTHING_WATCHED for one in message.findings),
            required_rules=tuple(message.watch.required_rules),
            signals=tuple(
                Signal(
                    one.rule,
                    Verdict(one.verdict),
                    one.reason,
                    seen_since((item.kind, moment(item.observe_time)) for item in one.evidence),
                )
                for one in message.findings
                if one.rule in message.watch.required_rules
            ),
        )

    def rollback_target(self, body: bytes) -> str:
        """Return the release that the decision of recorded bytes says to go back to; empty where there is none."""
        return decision_from_body(body).rollback_target

    def held(self, body: bytes) -> tuple[str, datetime | None]:
        """Return the attempt of a recorded decision, and since when it was on hold."""
        message = decision_from_body(body)
        return message.attempt, moment(message.held_since) if message.HasField("held_since") else None

    def look(self, item: EvidenceItem, digests: frozenset[str] = frozenset()) -> Look | None:
        """Return how far a `rollout_status` shows these digests exposed; without any, its new revision."""
        facts = item.facts
        if not isinstance(facts, evidence_pb2.RolloutStatus):
            return None
        exposed = _is_exposed(facts, digests)
        return Look(
            item.observe_time, exposed, exposed or _stays(facts, digests, exposed), (item.source, item.key)
        )

    def running(self, item: EvidenceItem) -> Running | None:
        """Return what a look at a rollout says of the images that take traffic; None where it says nothing of them."""
        facts = item.facts
        if not isinstance(facts, evidence_pb2.RolloutStatus) or not facts.canary_image_digests:
            return None
        if not facts.HasField("weight") or facts.weight <= 0:
            return None
        return Running(facts.object, frozenset(facts.canary_image_digests), facts.steps_skipped)

    def new_images(self, item: EvidenceItem) -> frozenset[str]:
        """Return the digests of the new revision's images as a `rollout_status` shows them; none where it does not."""
        facts = item.facts
        return frozenset(facts.canary_image_digests if isinstance(facts, evidence_pb2.RolloutStatus) else ())

    def silence_time(self, item: EvidenceItem) -> datetime | None:
        """Return when the newest silence was made that hides an alert, as an `incident_state` says; None without."""
        facts = item.facts
        if not isinstance(facts, evidence_pb2.IncidentState) or not facts.HasField("newest_silence_time"):
            return None
        return facts.newest_silence_time.ToDatetime(UTC)

    def recorded(self, body: bytes) -> Recorded:
        """Return what a replay needs of recorded bytes."""
        try:
            message = decision_from_body(body)
        except DecodeError as error:
            raise ValueError("the recorded bytes are no decision") from error
        return Recorded(
            supersedes=message.supersedes,
            renews=message.renews,
            case_digest=message.case_digest,
            outcome_digest=message.outcome_digest,
            engine_version=message.engine_version,
            semantics_version=message.semantics_version,
        )

    def release_facts(self, release: Release, place: Place, stage: Stage) -> object:
        """Return the RuleRelease message."""
        identity = release.identity
        return rule_context_pb2.RuleRelease(
            service=identity.service,
            environment=identity.environment,
            version=identity.version,
            service_labels=place.service_labels or {},
            environment_labels=place.environment_labels or {},
            stage=stage_to_proto(stage),
            is_first=release.is_first,
            is_restore=release.is_restore,
            artifact_types=sorted({artifact.type for artifact in identity.artifacts}),
        )

    def attempt_facts(self, attempt: Attempt, previous_outcome: str) -> object:
        """Return the RuleAttempt message."""
        return rule_context_pb2.RuleAttempt(
            number=attempt.number,
            start_time=timestamp(attempt.start_time),
            previous_outcome=previous_outcome,
        )

    def facts(self, body: bytes, digest: str) -> object:
        """Return the kind's own message out of stored EvidenceFacts."""
        try:
            union = evidence_pb2.EvidenceFacts.FromString(body)
        except DecodeError as error:
            raise ValueError("the stored bytes are no facts") from error
        if facts_digest(union) != digest:
            raise ValueError("the stored facts do not fit their digest")
        return facts_message(union)

    def described(self, kind: str, facts: object) -> tuple[str, str]:
        """Return the key within the kind, and the digest, of facts that the server derived."""
        assert isinstance(facts, Message)
        union = evidence_pb2.EvidenceFacts()
        getattr(union, kind).CopyFrom(facts)
        return facts_key(union), facts_digest(union)

    def builder(self, kind: str, facts: object) -> str:
        """Return the builder that derived facts name; empty for other kinds than provenance."""
        return facts.builder_id if isinstance(facts, evidence_pb2.Provenance) else ""

    def fingerprint(self, kind: str, key: str, facts: object) -> str:
        """Return kind and key, and below them what identifies the facts, such as the ids of vulnerabilities."""
        assert isinstance(facts, Message)
        return "\n".join([f"{kind}/{key}", *identities(facts)])

    def rollout_outcome(self, release: Release, attempt: Attempt, now: datetime) -> tuple[object, str]:
        """Return RolloutOutcome facts for an attempt that ended PASSED or ROLLED_BACK, and their digest."""
        outcome = evidence_pb2.RolloutOutcome(
            environment=release.identity.environment,
            service=release.identity.service,
            release=release.name,
            attempt=attempt.name,
            outcome=_RESULTS[attempt.outcome],
            duration=duration(now - attempt.start_time),
            close_time=timestamp(now),
        )
        return outcome, facts_digest(evidence_pb2.EvidenceFacts(rollout_outcome=outcome))


def _is_exposed(facts: evidence_pb2.RolloutStatus, digests: frozenset[str]) -> bool | None:
    """Say whether digests take traffic as the new revision; None where that cannot be told."""
    if digests and digests.isdisjoint(facts.canary_image_digests):
        # Of a list that may not be the whole one nothing follows.
        return False if facts.canary_image_digests or facts.complete else None
    if facts.weight > 0 or facts.canary_ready_replicas > 0:
        return True
    # Controllers say nothing of the weight where something else than a share of traffic decides.
    return False if facts.HasField("weight") or facts.HasField("canary_ready_replicas") else None


def _stays(facts: evidence_pb2.RolloutStatus, digests: frozenset[str], exposed: bool | None) -> bool | None:
    """Say whether digests take traffic as the stable revision, where they do not as the new one."""
    if digests.isdisjoint(facts.stable_image_digests):
        return exposed
    # Where the images of both revisions are the same ones, the stable one says nothing of the rollout.
    settled = bool(facts.canary_revision) and facts.canary_revision == facts.stable_revision
    return True if settled or digests.isdisjoint(facts.canary_image_digests) else exposed
