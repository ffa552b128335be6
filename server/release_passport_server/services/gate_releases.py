"""Find the release whose artifacts are exactly what a workload is about to run."""

from __future__ import annotations

from release_passport_server.domain.access import Scope
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.gate import Gate
from release_passport_server.domain.image import is_digest
from release_passport_server.domain.live_workload import LiveWorkload
from release_passport_server.domain.record import Page
from release_passport_server.domain.release import Release
from release_passport_server.ports.store import Reader, ReleaseFilter

# Of so many releases with one of the digests, the newest that fits is found.
_NEWEST = 100


def live_digests(gate: Gate, workload: LiveWorkload) -> tuple[str, ...]:
    """Return the digests of all containers but injected ones; raise Precondition `DIGEST_REQUIRED` for a tag."""
    own = [(name, image) for name, image in workload.images if name not in gate.injected]
    digests = {image.rpartition("@")[2] for _, image in own}
    if not own or not all(is_digest(one) for one in digests):
        raise Precondition("DIGEST_REQUIRED", "every container has to name its image by digest")
    return tuple(sorted(digests))


def release_of(reader: Reader, gate: Gate, digests: tuple[str, ...]) -> Release:
    """Return the newest release of the gate's place with just these images; raise an error that says what is off."""
    wanted, partly = set(digests), False
    for digest in digests:
        among = ReleaseFilter((Scope(),), gate.service, gate.environment, digest)
        for release in reader.list_releases(among, Page(_NEWEST)).items:
            images = {one.digest for one in release.identity.artifacts if one.type == "image"}
            if images == wanted:
                return release
            partly = True
            if images > wanted:
                text = f"{release.name} has images that the workload does not run"
                raise Precondition("ARTIFACT_NOT_DEPLOYED", text)
    if partly:
        raise Precondition("ARTIFACT_NOT_IN_RELEASE", "the workload runs an image that no release of it has")
    raise NotFound("NO_RELEASE_FOR_DIGESTS", "no release has these digests: create it first")
