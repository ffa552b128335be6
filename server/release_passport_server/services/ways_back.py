"""Find the ways back from the newest releases of a service in an environment."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from release_passport_server.domain.access import Scope
from release_passport_server.domain.evidence import Subject, Verification
from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import Page
from release_passport_server.domain.release import Release
from release_passport_server.domain.watch_window import recommends
from release_passport_server.domain.way_back import WayBack
from release_passport_server.ports.store import EvidenceFilter, Reader, ReleaseFilter

# A way back is looked for from so many of the newest releases, among so many.
NEWEST, LOOKED_AT = 5, 50
_ATTESTATIONS = ("provenance", "signature")
_ITEMS = Page(20)


class _Passed(NamedTuple):
    time: datetime
    release: Release


def ways_back(reader: Reader, service: str, environment: str) -> tuple[WayBack, ...]:
    """Return the way back from each of the newest releases there, and from that which is being rolled out."""
    wanted = ReleaseFilter((Scope(),), service, environment)
    releases = list(reader.list_releases(wanted, Page(LOOKED_AT)).items)
    attempts = {release.name: reader.attempts(release.name) for release in releases}
    ended = [(one, release) for release in releases for one in attempts[release.name] if one.finish_time]
    exercised = max((one.finish_time for one, _ in ended if one.outcome == "ROLLED_BACK"), default=None)  # type: ignore[type-var]
    passed = [
        _Passed(one.finish_time, release)
        for one, release in ended
        if one.outcome == "PASSED" and one.finish_time
    ]
    passed.sort(key=lambda one: one.time, reverse=True)
    rolling = {str(AttemptName.parse(one.name).release) for one in reader.open_attempts(service, environment)}
    chosen = [one for index, one in enumerate(releases) if index < NEWEST or one.name in rolling]
    return tuple(_way_back(reader, release, passed, exercised) for release in chosen)


def _way_back(reader: Reader, release: Release, passed: list[_Passed], exercised: datetime | None) -> WayBack:
    for time, target in passed:
        content = target.identity.content_digest
        if content == release.identity.content_digest or any(map(recommends, reader.latches(content))):
            continue
        return WayBack(release.name, target, time, exercised, _verified(reader, target))
    return WayBack(release.name, last_exercised_time=exercised)


def _verified(reader: Reader, target: Release) -> bool | None:
    found: list[bool | None] = []
    for artifact in target.identity.artifacts:
        about = (Subject(SubjectType.ARTIFACT, artifact.digest),)
        items = [
            item
            for kind in _ATTESTATIONS
            for item in reader.list_evidence(EvidenceFilter(kind, subjects=about), _ITEMS).items
        ]
        good = any(one.verification is Verification.VERIFIED and one.revocation is None for one in items)
        found.append(True if good else False if items else None)
    if False in found:
        return False
    return True if found and all(found) else None
