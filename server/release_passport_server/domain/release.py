"""What is judged: a release, the place that it goes to, and the attempts to roll it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from release_passport_server.domain.canonical import digest_of
from release_passport_server.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Artifact:
    """One deployable thing, known by its digest."""

    name: str
    digest: str
    type: str = "image"


@dataclass(frozen=True)
class ReleaseIdentity:
    """What a release consists of, as its creator said."""

    service: str
    environment: str
    version: str
    source_revision: str
    artifacts: tuple[Artifact, ...]
    manifest_digest: str = ""
    annotations: Mapping[str, str] | None = None
    # People who made the change, by whatever they are known as.
    authors: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 over everything that is judged."""
        return digest_of(self.judged)

    @property
    def judged(self) -> dict[str, object]:
        """Return what is judged: source, manifests and artifacts, which may stand in any order."""
        return {
            "service": self.service,
            "environment": self.environment,
            "sourceRevision": self.source_revision,
            "manifestDigest": self.manifest_digest,
            "artifacts": [
                [a.name, a.digest, a.type] for a in sorted(self.artifacts, key=lambda a: (a.name, a.digest))
            ],
        }

    @cached_property
    def content_digest(self) -> str:
        """Return the SHA-256 over artifact digests and manifests: what a latch holds on to, whatever the name."""
        return digest_of(
            {
                "service": self.service,
                "environment": self.environment,
                "manifestDigest": self.manifest_digest,
                "artifacts": sorted({a.digest for a in self.artifacts}),
            }
        )


@dataclass(frozen=True, slots=True)
class Release:
    """A registered release."""

    name: str
    identity: ReleaseIdentity
    creator: str
    create_time: datetime
    revision: int = 0
    previous: str = ""
    is_first: bool = False
    is_restore: bool = False
    # What else the creator is known as, by their credential.
    creator_identities: tuple[str, ...] = ()
    # The release that runs there now, where that was made later and this one never passed there.
    overtaken_by: str = ""
    # The release of other content that one would go back from: since anything passed there last, its rollout was begun
    # and is open or latched, or was rolled back.
    way_back_from: str = ""


@dataclass(frozen=True, slots=True)
class ObserveOnly:
    """A person's record that nothing is enforced yet for a service in an environment."""

    name: str
    owner: str
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A service in an environment as the catalogue has them; labels are the only ones that policies see."""

    service: str
    environment: str
    service_known: bool = True
    environment_known: bool = True
    service_labels: Mapping[str, str] | None = None
    environment_labels: Mapping[str, str] | None = None
    # Keys that the service itself has registered.
    signers: tuple[str, ...] = ()
    # The trust configuration by which other signers count here; 0 where there is none.
    trust_revision: int = 0
    required_policies: tuple[str, ...] = ()
    observe_only: ObserveOnly | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to roll a release out; `outcome` is empty while it is open."""

    name: str
    number: int
    ground: str
    start_time: datetime
    starter: str = ""
    finish_time: datetime | None = None
    outcome: str = ""
    reason: str = ""
    # What else the starter was known as, by their credential.
    starter_identities: tuple[str, ...] = ()
    # The policies that judge it, by id and revision; None where it began before these were kept: those of now do.
    policies: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """The decision that an attempt was started with: frozen, except that what it rests on may be withdrawn."""

    decision: str
    verdict: Verdict
    effective_verdict: Verdict
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Latch:
    """A recommended rollback that stands on the digests, whatever later samples say."""

    name: str
    policy: str
    rule: str
    decision: str
    attempt: str
    enforced: bool
    reason: str
    create_time: datetime
