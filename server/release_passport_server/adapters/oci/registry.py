"""Registries, each asked through a client that goes nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from release_passport_server.adapters.oci.finder import MAX_MANIFEST, Finder
from release_passport_server.adapters.oci.manifests import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    ManifestInvalid,
    platforms_of,
    read_manifest,
)
from release_passport_server.adapters.oci.session import Budget, Session, digest_of
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.image import (
    Attestations,
    Image,
    Platform,
    RegistryAccess,
    RegistryProblem,
)
from release_passport_server.domain.outbound import OutboundError, OutboundFailure, Reach
from release_passport_server.ports.http import MIB, HTTPClients

MAX_BYTES = 64 * MIB


class OCIRegistry:
    """Reads registries; see the port."""

    def __init__(self, clients: HTTPClients, *, seconds: float = 30.0, call_seconds: float = 10.0) -> None:
        self._clients = clients
        self._seconds = seconds
        self._call_seconds = call_seconds

    async def attestations(self, access: RegistryAccess, image: Image) -> Attestations:
        """Return what is attached to an image, or what was found of it until the time or the room was used up."""
        async with self._session(access, image) as session:
            finder = Finder(session, image.digest)
            asked = finder.items, finder.problems
            try:
                async with asyncio.timeout(self._seconds):
                    await finder.find()
            except TimeoutError as error:
                text = f"{access.origin} took longer than {self._seconds:g} s"
                if not any(asked):
                    raise OutboundError(OutboundFailure.TIMED_OUT, text) from error
                finder.complete = False
                finder.problems.append(RegistryProblem(str(access.origin), text))
            except OutboundError as error:
                if not any(asked):
                    raise
                finder.complete = False
                finder.problems.append(RegistryProblem(str(access.origin), error.message))
        return Attestations(tuple(finder.items), tuple(finder.problems), finder.complete)

    async def platforms(self, access: RegistryAccess, image: Image) -> tuple[Platform, ...]:
        """Return the images of an index, checked by its digest; none for a single image. Raise NotFound."""
        kinds = (INDEX, DOCKER_INDEX, MANIFEST, DOCKER_MANIFEST)
        async with self._session(access, image) as session:
            answer = await session.get(f"manifests/{image.digest}", most=MAX_MANIFEST, accept=kinds)
        if answer.status == 404:
            raise NotFound("NOT_FOUND", f"there is no image {image} in its registry")
        if digest_of(answer.body) != image.digest:
            text = f"{access.origin} answered with other content than {image.digest}"
            raise OutboundError(OutboundFailure.CONTENT_REFUSED, text)
        try:
            manifest = read_manifest(answer.body)
        except ManifestInvalid as error:
            text = f"{image} is no image: {error}"
            raise OutboundError(OutboundFailure.CONTENT_REFUSED, text) from error
        if manifest.unusable:
            # A platform that is left out would not have to be covered.
            text = f"{image} lists {manifest.unusable} entries that name nothing that can be read"
            raise OutboundError(OutboundFailure.CONTENT_REFUSED, text)
        return platforms_of(manifest) if manifest.is_index else ()

    @asynccontextmanager
    async def _session(self, access: RegistryAccess, image: Image) -> AsyncIterator[Session]:
        reach = Reach((access.origin, *access.others), public_redirects=access.public_redirects)
        async with self._clients.open(reach, access.ca_file) as client:
            yield Session(client, access, image.repository, Budget(MAX_BYTES), self._call_seconds)
