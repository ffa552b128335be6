"""Collecting is bounded: in images, attestations, bytes, calls at once and time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from release_passport_server.domain.access import Principal, Scope
from release_passport_server.domain.attestation import Claim
from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.evidence import EvidenceDraft, EvidenceItem, Verification
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.image import (
    AttestationForm,
    AttestationPlace,
    Attestations,
    FoundAttestation,
    Image,
    RegistryAccess,
)
from release_passport_server.domain.outbound import Origin
from release_passport_server.domain.release import Artifact, Release, ReleaseIdentity
from release_passport_server.ports.store import Written
from release_passport_server.services.asking import Ask
from release_passport_server.services.collect_attestations import (
    AT_ONCE,
    MAX_ATTESTATION,
    MAX_ATTESTATIONS,
    MAX_BYTES,
    MAX_IMAGES,
    CollectAttestations,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
WHO = Principal("sa:ci", "acme", NOW + timedelta(days=1))
NAME = ReleaseName("acme", "shop", "prod", "1.0.0")
HOST = "registry.example"
DIGESTS = [f"sha256:{number:064x}" for number in range(MAX_IMAGES + 1)]


class Everything:
    """Grants everything."""

    def allowed_scopes(self, *_: object, **__: object) -> tuple[Scope, ...]:
        return (Scope(),)


@dataclass
class OneRelease:
    """Has one release, and stores what it is given."""

    release: Release
    stored: int = 0

    async def read(self, tenant: str, act: Callable[[Any], Any]) -> Release:
        return self.release

    async def write(self, tenant: str, act: Callable[[Any], Any]) -> Written[Any]:
        self.stored += 1
        return Written(act(None), 7)


@dataclass
class Verifies:
    """Verifies everything as signed an hour ago."""

    sources: list[str] = field(default_factory=list)

    async def prepare(
        self, principal: Principal, drafts: Sequence[EvidenceDraft], *, source: str
    ) -> tuple[EvidenceItem, ...]:
        self.sources.append(source)
        signed = NOW - timedelta(hours=1)
        return tuple(
            replace(one.item, observe_time=signed, verification=Verification.VERIFIED) for one in drafts
        )

    def put(self, tx: object, items: Sequence[EvidenceItem], *_: object) -> tuple[EvidenceItem, ...]:
        return tuple(replace(item, name=f"item-{number}") for number, item in enumerate(items))


@dataclass
class Holds:
    """Is a registry in which every image has the same attestations."""

    bodies: tuple[bytes, ...]
    waits: asyncio.Event | None = None
    asked: int = 0

    async def attestations(self, access: RegistryAccess, image: Image) -> Attestations:
        self.asked += 1
        if self.waits is not None:
            await self.waits.wait()
        found = [
            FoundAttestation(body, AttestationForm.ENVELOPE, AttestationPlace.COSIGN_TAG, str(number))
            for number, body in enumerate(self.bodies)
        ]
        return Attestations(tuple(found), (), complete=True)


class Boms:
    """Takes everything for an SBOM."""

    def claim(self, body: bytes) -> Claim:
        return Claim("https://cyclonedx.org/bom", "sbom")


class Noon:
    """Stands still."""

    def now(self) -> datetime:
        return NOW


def collecting(registry: Holds, images: int = 1) -> tuple[CollectAttestations, OneRelease]:
    artifacts = tuple(Artifact(f"{HOST}/app", digest) for digest in DIGESTS[:images])
    identity = ReleaseIdentity("shop", "prod", "1.0.0", "", artifacts)
    store = OneRelease(Release(str(NAME), identity, "sa:ci", NOW))
    allowed = {HOST: RegistryAccess(Origin.of(f"https://{HOST}"))}
    make: Any = CollectAttestations
    return make(store, Everything(), Verifies(), registry, Boms(), Noon(), allowed), store


async def collected(registry: Holds, images: int = 1) -> list[list[str]]:
    """Return the reasons at each image; the empty one is that of what was stored."""
    collect, _ = collecting(registry, images)
    found = await collect(Ask(WHO, "CollectAttestations"), NAME, ())
    for one in found.images:
        assert one.complete is not any(told.reason == "LIMIT_REACHED" for told in one.attestations)
        assert all((told.evidence == "") is (told.reason != "") for told in one.attestations)
    return [[told.reason for told in one.attestations] for one in found.images]


async def test_no_more_attestations_are_verified_than_one_call_may_have() -> None:
    half = MAX_ATTESTATIONS // 2 + 10
    first, second = await collected(Holds((b"x",) * half), images=2)
    assert first == [""] * half
    assert second == [""] * (half - 20) + ["LIMIT_REACHED"] * 20


async def test_no_more_bytes_are_kept_than_one_call_may_have() -> None:
    fits = MAX_BYTES // MAX_ATTESTATION
    (told,) = await collected(Holds((bytes(MAX_ATTESTATION),) * (fits + 2)))
    assert told == [""] * fits + ["LIMIT_REACHED"] * 2


async def test_what_is_larger_than_may_be_submitted_is_told() -> None:
    assert await collected(Holds((bytes(MAX_ATTESTATION + 1), b"x"))) == [["BUNDLE_TOO_LARGE", ""]]


async def test_more_images_are_refused_before_anything_is_read() -> None:
    registry = Holds(())
    assert len(await collected(registry, MAX_IMAGES)) == MAX_IMAGES
    with pytest.raises(Invalid):
        await collected(registry, MAX_IMAGES + 1)
    assert registry.asked == MAX_IMAGES


async def test_a_call_that_is_given_up_stores_nothing_and_makes_room() -> None:
    registry = Holds((b"x",), waits=asyncio.Event())
    collect, store = collecting(registry)
    ask = Ask(WHO, "CollectAttestations")
    waiting = [asyncio.ensure_future(collect(ask, NAME, ())) for _ in range(AT_ONCE + 1)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert registry.asked == AT_ONCE
    for call in waiting:
        call.cancel()
    await asyncio.wait(waiting)
    assert store.stored == 0
    assert registry.waits is not None
    registry.waits.set()
    assert (await collect(ask, NAME, ())).revision == 7
