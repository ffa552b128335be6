"""Images in registries, and what is attached to them there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from release_passport_server.domain.outbound import Origin, OriginInvalid

_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_REPOSITORY = 255
# The name that people write, and where its registry and its tokens are.
_DOCKER, _DOCKER_REGISTRY, _DOCKER_TOKENS = "docker.io", "registry-1.docker.io", "https://auth.docker.io"


class ImageInvalid(ValueError):
    """A reference names no image; the text says what is wrong with it."""


def is_digest(text: str) -> bool:
    """Say whether a text is a SHA-256 digest as registries write it."""
    return _DIGEST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Image:
    """One image, by its digest."""

    registry: str
    repository: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Image:
        """Return the image that `registry/repository@sha256:…` names, with or without a tag; raise ImageInvalid."""
        name, at, digest = text.partition("@")
        if not at or not is_digest(digest):
            raise ImageInvalid("needs a digest: write registry.example/team/app@sha256:… in lower case")
        registry, slash, rest = name.partition("/")
        if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
            raise ImageInvalid("needs its registry: write docker.io/library/nginx@sha256:… and not nginx")
        repository, colon, _ = rest.rpartition(":")
        repository = repository if colon else rest
        if registry == _DOCKER:
            registry = _DOCKER_REGISTRY
            repository = repository if "/" in repository else f"library/{repository}"
        if len(repository) > _MAX_REPOSITORY or not _REPOSITORY.fullmatch(repository):
            raise ImageInvalid("has a repository that no registry takes: write it in lower case")
        try:
            Origin.of(f"https://{registry}")
        except OriginInvalid as error:
            raise ImageInvalid(f"has a registry that cannot be used: it {error}") from error
        return cls(registry.lower(), repository, digest)

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}@{self.digest}"


@dataclass(frozen=True, slots=True)
class RegistryCredential:
    """A name and a password or token for a registry."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """How a registry is reached. Credentials go to its origin and, for tokens, to the `others` alone."""

    origin: Origin
    # Where it gives out tokens and keeps its blobs, if elsewhere and configured.
    others: tuple[Origin, ...] = ()
    credential: RegistryCredential | None = None
    # Blobs may come from any public host by https: their digests are checked.
    public_redirects: bool = True
    ca_file: Path | None = None


def usual_access(image: Image) -> RegistryAccess:
    """Return how the registry of an image is reached where nothing is configured: by https, without a credential."""
    others = (Origin.of(_DOCKER_TOKENS),) if image.registry == _DOCKER_REGISTRY else ()
    return RegistryAccess(Origin.of(f"https://{image.registry}"), others)


class AttestationForm(StrEnum):
    """What the bytes of an attestation are."""

    BUNDLE = "BUNDLE"
    ENVELOPE = "ENVELOPE"


class AttestationPlace(StrEnum):
    """Where an attestation was found."""

    REFERRERS = "REFERRERS"
    REFERRERS_TAG = "REFERRERS_TAG"
    COSIGN_TAG = "COSIGN_TAG"


@dataclass(frozen=True, slots=True)
class FoundAttestation:
    """Something that claims to vouch for an image. Anybody who may push can attach it: it proves nothing by itself."""

    body: bytes
    form: AttestationForm
    place: AttestationPlace
    # The digest of what was stored, before a bundle was made of it.
    digest: str
    # What it says that it is; empty where it does not say.
    predicate_type: str = ""


@dataclass(frozen=True, slots=True)
class RegistryProblem:
    """Something in a registry that could not be used: what it is, and why."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Attestations:
    """What is attached to an image. Where it is not complete, there was more than was looked at."""

    items: tuple[FoundAttestation, ...]
    problems: tuple[RegistryProblem, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Platform:
    """One image of an index: what it runs on, and its digest."""

    os: str
    architecture: str
    variant: str
    digest: str
