"""Asks registries of tests, and fills one in memory with what goes wrong."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.oci.registry import OCIRegistry
from release_passport_server.domain.image import Attestations, Image, RegistryAccess, RegistryCredential
from release_passport_server.domain.outbound import Origin, OutboundError, OutboundFailure
from support.oci_registry import MANIFEST, FakeRegistry, bundle_manifest, digest_of, manifest, running

REGISTRY = OCIRegistry(GuardedClients("release-passport/test"))
ROBOT = RegistryCredential("robot", "s3cret")


def access_to(url: str, *others: str, credential: RegistryCredential | None = None) -> RegistryAccess:
    """Return how a registry of a test is reached: it is on this machine."""
    return RegistryAccess(
        Origin.of(url, internal=True),
        tuple(Origin.of(other, internal=True) for other in others),
        credential,
    )


def image_of(subject: bytes, url: str = "http://127.0.0.1", repository: str = "team/app") -> Image:
    return Image(urlsplit(url).netloc, repository, digest_of(subject))


async def found(url: str, subject: bytes, *others: str, **more: Any) -> Attestations:
    return await REGISTRY.attestations(access_to(url, *others, **more), image_of(subject, url))


async def failure(url: str, subject: bytes, *others: str, **more: Any) -> OutboundFailure:
    with pytest.raises(OutboundError) as raised:
        await found(url, subject, *others, **more)
    assert "s3cret" not in raised.value.message
    return raised.value.failure


class Attached:
    """A fake registry with an image and its bundles."""

    def __init__(self, *bundles: bytes, referrers: bool = True, page: int = 100) -> None:
        self.fake = FakeRegistry(referrers=referrers, page=page)
        self.subject = manifest()
        self.manifests = [bundle_manifest(bundle, self.subject) for bundle in bundles]
        for bundle in bundles:
            self.put(bundle, "application/octet-stream")
        for made in self.manifests:
            self.put(made, MANIFEST)

    def put(self, body: bytes, media_type: str, digest: str = "") -> None:
        self.fake.content["team/app", digest or digest_of(body)] = body, media_type

    def path(self, kind: str, name: str = "") -> str:
        return f"/v2/team/app/{kind}/{name or digest_of(self.subject)}"

    async def found(self) -> Attestations:
        async with running(self.fake) as it:
            return await found(it.url(), self.subject)


def bodies(answer: Attestations) -> list[bytes]:
    return [one.body for one in answer.items]
