"""What evidence about a release may be about."""

from __future__ import annotations

from collections.abc import Iterable

from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.release import Attempt, Release


def subjects_of(release: Release, attempts: Iterable[Attempt] = ()) -> tuple[Subject, ...]:
    """Return every subject that evidence about a release may have."""
    identity = release.identity
    subjects = [Subject(SubjectType.ARTIFACT, artifact.digest) for artifact in identity.artifacts]
    if identity.source_revision:
        subjects.append(Subject(SubjectType.SOURCE, identity.source_revision))
    if identity.manifest_digest:
        subjects.append(Subject(SubjectType.MANIFEST, identity.manifest_digest))
    subjects.append(Subject(SubjectType.RELEASE, release.name))
    subjects.append(Subject(SubjectType.WORKLOAD, f"{identity.service}/{identity.environment}"))
    subjects.extend(Subject(SubjectType.ATTEMPT, attempt.name) for attempt in attempts)
    return tuple(subjects)
