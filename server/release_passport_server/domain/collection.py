"""What came of looking for attestations of images in their registries."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.image import AttestationPlace, Image, RegistryProblem


@dataclass(frozen=True, slots=True)
class CollectedOne:
    """One attestation: the evidence that it became, or why it became none."""

    digest: str
    place: AttestationPlace
    predicate_type: str = ""
    kind: str = ""
    evidence: str = ""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class CollectedImage:
    """What was found at one image; where it is not complete, there was more than was looked at."""

    image: Image
    complete: bool
    attestations: tuple[CollectedOne, ...]
    problems: tuple[RegistryProblem, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found, and the evidence that stands for it."""

    images: tuple[CollectedImage, ...]
    items: tuple[EvidenceItem, ...]
    revision: int
