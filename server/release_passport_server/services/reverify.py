"""Examine stored envelopes anew, now that the tenant trusts others than when they came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import AuditEntry, FeedEvent
from release_passport_server.domain.reevaluation import WORKER
from release_passport_server.domain.trust import Trust
from release_passport_server.ports.store import Reader, Store, Transaction
from release_passport_server.services.intake import scope_of
from release_passport_server.services.reconsider import reconsider
from release_passport_server.services.subjects import subjects_of
from release_passport_server.services.verify_evidence import VerifyEvidence

ACTION = "ReverifyEvidence"


@dataclass(frozen=True, slots=True)
class Reverify:
    """Verifies what is known of a release under what the tenant trusts now.

    What proves something now becomes VERIFIED where it stands; decisions keep what they saw. An item whose signer is
    no longer trusted counts no more without being examined, and stays as it is.
    """

    store: Store
    verify: VerifyEvidence

    async def __call__(self, release: ReleaseName) -> tuple[EvidenceItem, ...]:
        """Return the items that prove something now; raise Unavailable where too many envelopes wait."""
        tenant = release.tenant
        candidates, trust = await self.store.read(tenant, lambda reader: self._candidates(reader, release))
        found = []
        for before in candidates:
            # One at a time: the processes are there for those who submit.
            (item,) = await self.verify(tenant, [before])
            failed = before.verification is Verification.FAILED
            if item.verification is Verification.VERIFIED and (failed or _counts(item, trust, release)):
                found.append(item)
        if not found:
            return ()
        return (await self.store.write(tenant, lambda tx: _put(tx, found))).value

    def _candidates(self, reader: Reader, name: ReleaseName) -> tuple[list[EvidenceItem], Trust]:
        """Return what proves nothing under today's trust and was not examined under it, with its envelope."""
        release = reader.find_release(name.service, name.environment, name.version)
        stands = reader.find_trust()
        if release is None or stands is None:
            return [], Trust()
        trust = stands.trust.with_defaults(self.verify.default_roots)
        items = reader.evidence_about(subjects_of(release, reader.attempts(release.name)))
        older = [item for item in items if _is_older(item, trust) and not _counts(item, trust, name)]
        bundles = reader.evidence_bundles([item.name for item in older])
        return [replace(item, bundle=bundles[item.name]) for item in older if item.name in bundles], trust


def _put(tx: Transaction, found: Sequence[EvidenceItem]) -> tuple[EvidenceItem, ...]:
    verified = tuple(item for item in found if _stands(tx, item.name))
    for item in verified:
        tx.put_verification(item)
        detail = {"signer": item.signer, "factsDigest": item.facts_digest}
        if item.proof is not None:
            detail["trustRevision"] = str(item.proof.trust_revision)
        tx.emit(FeedEvent("evidence.verified", item.name, (scope_of(item.subject),)))
        tx.audit(AuditEntry(WORKER, ACTION, item.name, detail))
    reconsider(tx, [item.subject for item in verified])
    return verified


def _counts(item: EvidenceItem, trust: Trust, release: ReleaseName) -> bool:
    if item.proof is None or item.verification is not Verification.VERIFIED:
        return False
    return trust.vouches(item.proof, item.kind, release.service, release.environment)


def _is_older(item: EvidenceItem, trust: Trust) -> bool:
    return item.proof is not None and item.proof.trust_revision < trust.revision and item.revocation is None


def _stands(reader: Reader, name: str) -> bool:
    item = reader.find_evidence(name)
    return item is not None and item.revocation is None
