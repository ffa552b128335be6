"""What was collected from registries, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.v1 import evidence_service_pb2 as pb
from release_passport_server.domain.collection import CollectedImage, CollectedOne, Collection
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.wire.evidence import evidence_to_proto
from release_passport_server.wire.text import text_problem

MAX_IMAGES = 20
_MAX_IMAGE_BYTES = 512


def images_of(given: Sequence[str]) -> tuple[str, ...]:
    """Return the images that are asked for, as texts; raise Invalid."""
    if len(given) > MAX_IMAGES:
        raise invalid([Violation("images", f"must hold at most {MAX_IMAGES}")])
    found = ((index, text_problem(text, max_bytes=_MAX_IMAGE_BYTES)) for index, text in enumerate(given))
    problems = [Violation(f"images[{index}]", problem) for index, problem in found if problem is not None]
    if problems:
        raise invalid(problems)
    return tuple(given)


def collection_to_proto(found: Collection) -> pb.CollectAttestationsResponse:
    """Return what was found, as it is shown."""
    return pb.CollectAttestationsResponse(
        images=[_image(one) for one in found.images],
        evidence=[evidence_to_proto(item) for item in found.items],
        revision=found.revision,
    )


def _image(found: CollectedImage) -> pb.CollectedImage:
    return pb.CollectedImage(
        image=str(found.image),
        complete=found.complete,
        attestations=[_attestation(one) for one in found.attestations],
        problems=[pb.CollectionProblem(where=one.where, message=one.text) for one in found.problems],
    )


def _attestation(one: CollectedOne) -> pb.CollectedAttestation:
    return pb.CollectedAttestation(
        digest=one.digest,
        place=one.place.value,
        predicate_type=one.predicate_type,
        kind=one.kind,
        evidence=one.evidence,
        reason=one.reason,
        message=one.message,
    )
