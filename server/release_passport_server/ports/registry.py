"""What services need of image registries."""

from __future__ import annotations

from typing import Protocol

from release_passport_server.domain.image import Attestations, Image, Platform, RegistryAccess


class Registry(Protocol):
    """Reads registries. Raises OutboundError where one cannot be read."""

    async def attestations(self, access: RegistryAccess, image: Image) -> Attestations:
        """Return what is attached to an image; that some of it is unusable is part of the answer."""
        ...

    async def platforms(self, access: RegistryAccess, image: Image) -> tuple[Platform, ...]:
        """Return the images of an index, checked by its digest; none for a single image. Raise NotFound."""
        ...
