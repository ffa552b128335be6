"""Put together all of a release with what proves it, to be checked where this service is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import DecisionRecord, LoggedEntry
from release_passport_server.domain.replay import Record, evidence_digests
from release_passport_server.domain.signing_key import KeyState, Purpose
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.log import AnchoredCheckpoint, CheckpointAnchor, ProofSet
from release_passport_server.ports.signing import Sealer
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.audit import Audit, not_logged_yet
from release_passport_server.services.reading import Passport, read_passport

# An answer has at most 4 MiB; base 64 and JSON make of this much about three.
MAX_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExportedDecision:
    """A decision with the entry that the log has of it, and the tlog-proof of that."""

    record: DecisionRecord
    entry: LoggedEntry
    proof: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A release, its newest decisions first, and everything that they were made of."""

    passport: Passport
    decisions: tuple[ExportedDecision, ...]
    facts: Mapping[str, bytes]
    policies: tuple[PolicyDocument, ...]
    origin: str
    proofs: ProofSet
    keys: Mapping[str, object]
    time: datetime
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the store has of it."""

    passport: Passport
    chosen: tuple[tuple[DecisionRecord, LoggedEntry], ...]
    facts: Mapping[str, bytes]
    policies: tuple[PolicyDocument, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """Exports passports, for those who may read and audit the release."""

    store: Store
    access: Authorizer
    audit: Audit
    anchor: CheckpointAnchor
    sealer: Sealer
    clock: Clock

    async def __call__(self, principal: Principal, name: ReleaseName) -> Exported:
        """Return a release with what proves it; raise Precondition where a decision is in no checkpoint yet."""
        for verb in (Verb.READ, Verb.AUDIT):
            self.access.require(principal, verb, service=name.service, environment=name.environment)
        found = await self.store.read(principal.tenant, lambda reader: _gathered(reader, name))
        log = self.audit.identity(principal.tenant)
        numbers = [entry.leaf_index for _, entry in found.chosen]
        try:
            proofs = await self.audit.asked(
                lambda: self.audit.log.proofs(log, numbers, self._anchored(log.origin))
            )
        except NotFound as error:
            raise not_logged_yet(f"the newest decision about {name}") from error
        return Exported(
            passport=found.passport,
            decisions=tuple(
                ExportedDecision(record, entry, proof)
                for (record, entry), proof in zip(found.chosen, proofs.inclusions, strict=True)
            ),
            facts=found.facts,
            policies=found.policies,
            origin=log.origin,
            proofs=proofs,
            keys=self.audit.key_set(),
            time=self.clock.now(),
            truncated=found.passport.truncated or len(found.chosen) < len(found.passport.decisions),
        )

    def seal(self, payload_type: str, payload: bytes) -> bytes:
        """Return the envelope that seals an exported passport; raise Unavailable."""
        return self.sealer.seal(payload_type, payload, self.clock.now())

    def _anchored(self, origin: str) -> tuple[AnchoredCheckpoint, ...]:
        """Return the last checkpoint that was anchored before each retired key ended: it shows what is older."""
        ends = {
            key.not_after
            for key in self.audit.signer.public_keys()
            if key.purpose is Purpose.DECISION and key.state is KeyState.RETIRED and key.not_after is not None
        }
        kept = self.anchor.anchored(origin) if ends else ()
        found = [[one for one in kept if one.time < end] for end in sorted(ends)]
        return tuple(dict.fromkeys(before[-1] for before in found if before))


def _gathered(reader: Reader, name: ReleaseName) -> _Gathered:
    passport = read_passport(reader, name)
    entries = _entries(reader, passport)
    chosen: list[tuple[DecisionRecord, LoggedEntry]] = []
    facts: dict[str, bytes] = {}
    policies: dict[tuple[str, int], PolicyDocument] = {}
    size = 0
    for listed in passport.decisions:
        # Lists are without cases.
        record = reader.find_decision(listed.name) or listed
        case: Record = json.loads(record.case_body)
        more = reader.evidence_bodies([one for one in evidence_digests(case) if one not in facts])
        size += len(record.body) + len(record.case_body) + len(record.envelope) + sum(map(len, more.values()))
        if chosen and size > MAX_BYTES:
            break
        facts |= more
        for policy_id, revision, _ in case["policies"]:
            found = policies.get((policy_id, revision)) or reader.policy_revision(policy_id, revision)
            if found is not None:
                policies[policy_id, revision] = found
        if record.name not in entries:
            raise NotFound("NOT_FOUND", f"the audit log has no entry about {record.name}: audit it")
        chosen.append((record, entries[record.name]))
    return _Gathered(passport, tuple(chosen), facts, tuple(policies.values()))


def _entries(reader: Reader, passport: Passport) -> dict[str, LoggedEntry]:
    """Return the entry of each decision, by its name: it was written at the decision's own revision."""
    found = reader.audited_at([record.revision for record in passport.decisions])
    names = {record.name for record in passport.decisions}
    return {entry.subject: entry for entry in found if entry.subject in names and entry.action == "Evaluate"}
