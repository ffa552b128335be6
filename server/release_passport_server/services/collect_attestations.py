"""Collect what registries hold about a release's images; what it proves is stored like what is submitted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.attestation import AttestationFailure
from release_passport_server.domain.collection import CollectedImage, CollectedOne, Collection
from release_passport_server.domain.errors import Denied, NotFound, Violation, invalid
from release_passport_server.domain.evidence import EvidenceDraft, EvidenceItem, Subject, Verification
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.image import (
    FoundAttestation,
    Image,
    ImageInvalid,
    RegistryAccess,
    RegistryProblem,
)
from release_passport_server.domain.kind import KINDS, SubjectType
from release_passport_server.domain.outbound import OutboundError
from release_passport_server.domain.release import Release
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.attestations import ClaimReader
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.registry import Registry
from release_passport_server.ports.store import Store
from release_passport_server.services.asking import Ask
from release_passport_server.services.intake import EvidenceIntake

MAX_IMAGES = 20
# Of one call, over all of its images.
MAX_ATTESTATIONS = 100
MAX_BYTES = 16 * 1024 * 1024
# What a submitter may send as one envelope.
MAX_ATTESTATION = 1024 * 1024
AT_ONCE = 4

# Why an attestation that may be sound is not stored; the other reasons are those of verification.
TIME_UNKNOWN = "TIME_UNKNOWN"
LIMIT_REACHED = "LIMIT_REACHED"


@dataclass(frozen=True, slots=True)
class CollectAttestations:
    """Reads registries on somebody's behalf, under that person's right to submit.

    Only what is proven is stored. Whoever may push attaches what they like: stored failures would stand before
    what was proven, and could hold any release.
    """

    store: Store
    access: Authorizer
    intake: EvidenceIntake
    registry: Registry
    claims: ClaimReader
    clock: Clock
    # By host; nothing else is ever asked.
    registries: Mapping[str, RegistryAccess]
    _turns: asyncio.Semaphore = field(init=False, default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def __call__(self, ask: Ask, name: ReleaseName, images: Sequence[str]) -> Collection:
        """Return what was found and what it proves.

        Raises Denied for who may submit no attestation there, NotFound, Invalid for images that are not the
        release's or whose registry is not configured, and OutboundError where no registry could be read.
        """
        self._require(ask.principal, name)
        release = await self.store.read(
            name.tenant, lambda reader: reader.find_release(name.service, name.environment, name.version)
        )
        if release is None:
            raise NotFound("NOT_FOUND", f"there is no release {name}")
        wanted = self._images(release, images)
        async with self._turns:
            call = _Call(self, ask.principal)
            return await call.stored(ask, [await call.collect(image) for image in wanted])

    def _require(self, principal: Principal, name: ReleaseName) -> None:
        for kind in (kind.name for kind in KINDS.values() if kind.attestation):
            scopes = self.access.allowed_scopes(principal, Verb.SUBMIT, kind=kind)
            if any(scope.covers(name.service, name.environment) for scope in scopes):
                return
        self.access.require(
            principal, Verb.SUBMIT, service=name.service, environment=name.environment, kind="provenance"
        )

    def _images(self, release: Release, asked: Sequence[str]) -> list[Image]:
        """Return the images to look at; raise Invalid with all that is wrong with them."""
        artifacts = release.identity.artifacts
        texts = asked or [f"{one.name}@{one.digest}" for one in artifacts if _names_registry(one.name)]
        if not texts:
            text = "required: no artifact of this release has a name that begins with a registry"
            raise invalid([Violation("images", text)])
        if len(texts) > MAX_IMAGES:
            raise invalid([Violation("images", f"must hold at most {MAX_IMAGES}")])
        digests = {artifact.digest for artifact in artifacts}
        images: dict[Image, None] = {}
        problems = []
        for index, text in enumerate(texts):
            try:
                image = Image.parse(text)
            except ImageInvalid as error:
                problems.append(Violation(f"images[{index}]", str(error)))
                continue
            images[image] = None
            if image.digest not in digests:
                problems.append(Violation(f"images[{index}]", "is no artifact of this release"))
            if image.registry not in self.registries:
                problem = f"{image.registry} is not a registry that this server reads: see `registries.hosts`"
                problems.append(Violation(f"images[{index}]", problem))
        if problems:
            raise invalid(problems)
        return list(images)


@dataclass(slots=True)
class _Found:
    """What was found at one image; each attestation with its item, if it proves something."""

    image: Image
    complete: bool = True
    ones: list[tuple[CollectedOne, EvidenceItem | None]] = field(default_factory=list)
    problems: list[RegistryProblem] = field(default_factory=list)
    failure: OutboundError | None = None


@dataclass(slots=True)
class _Call:
    """One collection: how much of it there is, is counted over all images."""

    service: CollectAttestations
    principal: Principal
    count: int = 0
    size: int = 0

    async def collect(self, image: Image) -> _Found:
        """Read and verify what is attached to one image."""
        found = _Found(image)
        try:
            access = self.service.registries[image.registry]
            attached = await self.service.registry.attestations(access, image)
        except OutboundError as error:
            found.complete, found.failure = False, error
            found.problems.append(RegistryProblem(image.registry, error.message))
            return found
        found.complete = attached.complete
        found.problems.extend(attached.problems)
        for one in attached.items:
            found.ones.append(await self._judged(image, one, found))
        return found

    async def _judged(
        self, image: Image, one: FoundAttestation, found: _Found
    ) -> tuple[CollectedOne, EvidenceItem | None]:
        told = CollectedOne(one.digest, one.place, one.predicate_type)
        if len(one.body) > MAX_ATTESTATION:
            text = f"{len(one.body)} bytes; an attestation may have {MAX_ATTESTATION}"
            return replace(told, reason=AttestationFailure.BUNDLE_TOO_LARGE, message=text), None
        self.count, self.size = self.count + 1, self.size + len(one.body)
        if self.count > MAX_ATTESTATIONS or self.size > MAX_BYTES:
            found.complete = False
            text = (
                f"one call reads {MAX_ATTESTATIONS} attestations and {MAX_BYTES} bytes: ask for fewer images"
            )
            return replace(told, reason=LIMIT_REACHED, message=text), None
        claim = await asyncio.to_thread(self.service.claims.claim, one.body)
        told = replace(told, predicate_type=claim.predicate_type, kind=claim.kind)
        if not claim.kind:
            return replace(told, reason=claim.failure or "", message=claim.text), None
        return await self._verified(image, one, told)

    async def _verified(
        self, image: Image, one: FoundAttestation, told: CollectedOne
    ) -> tuple[CollectedOne, EvidenceItem | None]:
        now = self.service.clock.now()
        draft = EvidenceDraft(_item(image, told.kind, one.digest, now), one.body)
        try:
            # One at a time: the processes are there for those who submit.
            (item,) = await self.service.intake.prepare(
                self.principal, [draft], source=f"registry:{image.registry}"
            )
        except Denied as error:
            return replace(told, reason=error.reason, message=error.message), None
        if item.verification is not Verification.VERIFIED:
            code, _, text = item.verification_reason.partition(": ")
            return replace(told, reason=code, message=text), None
        if item.observe_time >= now:
            # It would be as fresh as the newest look at the registry, for ever.
            text = "neither the statement nor a log nor a timestamp says when it was made"
            return replace(told, reason=TIME_UNKNOWN, message=text), None
        return told, item

    async def stored(self, ask: Ask, found: Sequence[_Found]) -> Collection:
        """Store what is proven, in one transaction; raise the failure where no registry answered."""
        if found and all(one.failure is not None for one in found):
            assert found[0].failure is not None
            raise found[0].failure
        items = [item for one in found for _, item in one.ones if item is not None]
        kept: tuple[EvidenceItem, ...] = ()
        revision = 0
        if items:
            written = await self.service.store.write(
                ask.principal.tenant,
                lambda tx: self.service.intake.put(tx, items, ask.principal, ask.method),
            )
            kept, revision = written.value, written.revision
        names = iter(kept)
        images = tuple(
            CollectedImage(
                one.image,
                one.complete,
                tuple(replace(told, evidence=next(names).name) if item else told for told, item in one.ones),
                tuple(one.problems),
            )
            for one in found
        )
        return Collection(images, tuple({item.name: item for item in kept}.values()), revision)


def _names_registry(name: str) -> bool:
    try:
        Image.parse(f"{name}@sha256:{'0' * 64}")
    except ImageInvalid:
        return False
    return True


def _item(image: Image, kind: str, digest: str, now: datetime) -> EvidenceItem:
    """Return what is known before anything is verified; facts and times come from the envelope alone."""
    return EvidenceItem(
        name="",
        kind=kind,
        key="",
        subject=Subject(SubjectType.ARTIFACT, image.digest),
        source="",
        facts=None,
        facts_digest="",
        observe_time=now,
        receive_time=now,
        external_id=digest,
    )
