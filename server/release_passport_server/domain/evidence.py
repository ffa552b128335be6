"""A piece of evidence as the domain sees it: who says what about which subject, when; the facts stay opaque."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from release_passport_server.domain.access import Scope
from release_passport_server.domain.kind import SubjectType

if TYPE_CHECKING:
    from release_passport_server.domain.attestation import Proof


class Verification(IntEnum):
    """What came of verifying an item's envelope."""

    UNSIGNED = 1
    VERIFIED = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """What a piece of evidence is about; a workload's value is `service/environment`."""

    type: SubjectType
    value: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """That an item was taken back."""

    time: datetime
    revoker: str
    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One stored observation. `facts` is a message that only rules look into."""

    name: str
    kind: str
    key: str
    subject: Subject
    source: str
    facts: object
    facts_digest: str
    observe_time: datetime
    receive_time: datetime
    expire_time: datetime | None = None
    verification: Verification = Verification.UNSIGNED
    verification_reason: str = ""
    signer: str = ""
    # Where the submitter's word counted when the item came in.
    scopes: tuple[Scope, ...] = (Scope(),)
    samples: int | None = None
    inconclusive: bool = False
    external_id: str = ""
    # The envelope as it was submitted; there on the way in only.
    bundle: bytes = b""
    revision: int = 0
    revocation: Revocation | None = None
    # What was proven of the envelope; None where there was none.
    proof: Proof | None = None
    # What else the submitter was known as, by their credential.
    source_identities: tuple[str, ...] = ()

    def with_server_parts(
        self,
        *,
        name: str | None = None,
        source: str | None = None,
        receive_time: datetime | None = None,
        scopes: tuple[Scope, ...] | None = None,
        bundle: bytes | None = None,
        revision: int | None = None,
        source_identities: tuple[str, ...] | None = None,
    ) -> EvidenceItem:
        """Return the item with what no submitter says; what is not given stays.

        Every item that comes in takes three such steps, and `dataclasses.replace` takes three times as long.
        """
        return EvidenceItem(
            self.name if name is None else name,
            self.kind,
            self.key,
            self.subject,
            self.source if source is None else source,
            self.facts,
            self.facts_digest,
            self.observe_time,
            self.receive_time if receive_time is None else receive_time,
            self.expire_time,
            self.verification,
            self.verification_reason,
            self.signer,
            self.scopes if scopes is None else scopes,
            self.samples,
            self.inconclusive,
            self.external_id,
            self.bundle if bundle is None else bundle,
            self.revision if revision is None else revision,
            self.revocation,
            self.proof,
            self.source_identities if source_identities is None else source_identities,
        )

    def stale_time(self, max_age: timedelta) -> datetime:
        """Return when the item stops being fresh; age counts from the older of observed and received."""
        end = min(self.observe_time, self.receive_time) + max_age
        return end if self.expire_time is None else min(end, self.expire_time)

    def counts_for(self, service: str, environment: str) -> bool:
        """Say whether the submitter's scope covered this service in this environment."""
        # A plain loop: every decision asks this of each item.
        for scope in self.scopes:  # noqa: SIM110
            if scope.covers(service, environment):
                return True
        return False

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Return what items of one series are sorted by, oldest first."""
        return (self.observe_time, self.receive_time, self.name)


@dataclass(frozen=True, slots=True)
class EvidenceDraft:
    """What a caller submits: an item whose name, source and receive time the server will set, and its envelope."""

    item: EvidenceItem
    bundle: bytes = b""
