"""Manifests and indexes as their specification shapes them; what is shaped otherwise is not guessed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from release_passport_server.domain.image import Platform, is_digest
from release_passport_server.wire.intoto.strict_json import JSON, JSONInvalid, parse

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_INDEXES = frozenset({INDEX, DOCKER_INDEX})


class ManifestInvalid(ValueError):
    """A manifest is not one; the text says why."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of other content."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index."""

    media_type: str
    artifact_type: str
    subject: str
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]
    # Entries that name nothing that could be fetched.
    unusable: int

    @property
    def is_index(self) -> bool:
        """Say whether this lists other manifests."""
        return self.media_type in _INDEXES


def read_manifest(raw: bytes) -> Manifest:
    """Return a manifest or index; raise ManifestInvalid."""
    try:
        value = parse(raw)
    except JSONInvalid as error:
        raise ManifestInvalid(str(error)) from error
    if not isinstance(value, dict):
        raise ManifestInvalid("not an object")
    if "layers" in value and "manifests" in value:
        # What is a manifest to one reader and an index to another can hide either from both.
        raise ManifestInvalid("both a manifest and an index")
    layers, unusable_layers = _descriptors(value.get("layers"))
    manifests, unusable_manifests = _descriptors(value.get("manifests"))
    config = _mapping(value.get("config"))
    subject = _text(_mapping(value.get("subject")).get("digest"))
    return Manifest(
        media_type=_text(value.get("mediaType")) or (INDEX if "manifests" in value else MANIFEST),
        artifact_type=_text(value.get("artifactType")) or _text(config.get("mediaType")),
        subject=subject,
        layers=layers,
        manifests=manifests,
        unusable=unusable_layers + unusable_manifests,
    )


def platforms_of(index: Manifest) -> tuple[Platform, ...]:
    """Return the images of an index, without what builders attach to them."""
    return tuple(
        Platform(
            entry.platform.get("os", ""),
            entry.platform.get("architecture", ""),
            entry.platform.get("variant", ""),
            entry.digest,
        )
        for entry in index.manifests
        if "vnd.docker.reference.digest" not in entry.annotations
    )


def _descriptors(value: JSON) -> tuple[tuple[Descriptor, ...], int]:
    if value is None:
        return (), 0
    if not isinstance(value, list):
        raise ManifestInvalid("not a list where its content is named")
    found = [one for one in map(_descriptor, value) if one is not None]
    return tuple(found), len(value) - len(found)


def _descriptor(value: JSON) -> Descriptor | None:
    entry = _mapping(value)
    digest, size = _text(entry.get("digest")), entry.get("size")
    # A digest becomes part of a URL.
    if not is_digest(digest) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return None
    return Descriptor(
        media_type=_text(entry.get("mediaType")),
        digest=digest,
        size=size,
        artifact_type=_text(entry.get("artifactType")),
        annotations=_texts(entry.get("annotations")),
        platform=_texts(entry.get("platform")),
    )


def _mapping(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _texts(value: JSON) -> Mapping[str, str]:
    return {key: text for key, text in _mapping(value).items() if isinstance(text, str)}


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""
