"""Put together how a rollout is watched, out of the attempt, its ground, what was observed and what latched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import Page
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.domain.watch_window import (
    Acknowledgement,
    Look,
    WatchWindow,
    is_within,
    passes,
)
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import EvidenceFilter, Reader

# So many observations of a rollout are read at once.
_OBSERVATIONS, _READINESS = Page(1000), Page(5)
_ACKNOWLEDGEMENTS = Page(100)


def read_window(reader: Reader, messages: Messages, attempt: Attempt) -> WatchWindow:
    """Return the window of an attempt as it stands."""
    name = AttemptName.parse(attempt.name).release
    release = reader.find_release(name.service, name.environment, name.version)
    ground, newest = reader.find_decision(attempt.ground), reader.newest_decision(str(name))
    assert release is not None
    limits = None if ground is None else messages.limits(ground.body)
    content = release.identity.content_digest
    return WatchWindow(
        attempt,
        *((limits.watched, limits.max_weight, limits.steps) if limits else (timedelta(0), 100, ())),
        looks=tuple(read_looks(reader, messages, attempt, release, attempt.start_time)),
        latches=reader.latches(content),
        acknowledgements=reader.list_acts(Acknowledgement, _ACKNOWLEDGEMENTS, key=content).items,
        decision="" if newest is None else newest.name,
        effective_verdict=None if newest is None else newest.effective_verdict,
        rollback_target="" if newest is None else messages.rollback_target(newest.body),
        release_digest=release.identity.digest,
        readiness=_readiness(reader, release),
    )


def read_looks(
    reader: Reader, messages: Messages, attempt: Attempt, release: Release, since: datetime
) -> Iterator[Look]:
    """Yield what was seen of the exposure of an attempt's images, the newest received first, back to a time."""
    identity, page = release.identity, _OBSERVATIONS
    of_place = Subject(SubjectType.WORKLOAD, f"{identity.service}/{identity.environment}")
    wanted = EvidenceFilter("rollout_status", subjects=(Subject(SubjectType.ATTEMPT, attempt.name), of_place))
    digests = frozenset(artifact.digest for artifact in identity.artifacts)
    while True:
        listed = reader.list_evidence(wanted, page)
        for item in listed.items:
            if (look := look_at(messages, item, digests)) is not None:
                yield look
        if not listed.next_after or listed.items[-1].receive_time < since:
            return
        page = Page(_OBSERVATIONS.size, listed.next_after)


def look_at(messages: Messages, item: EvidenceItem, digests: frozenset[str]) -> Look | None:
    """Return what an item shows of the exposure of a rollout of these digests; None where it shows nothing."""
    # What is said of the place says by its images which release it is about.
    of_these = digests if item.subject.type is SubjectType.WORKLOAD else frozenset[str]()
    return None if item.revocation is not None else messages.look(item, of_these)


def pass_time(attempt: Attempt, looks: Sequence[Look], watched: timedelta) -> datetime | None:
    """Return when an attempt has been exposed for so long; where nobody sees exposure it counts from the start."""
    if not watched:
        return attempt.start_time
    mine = [look for look in looks if is_within(attempt, look)]
    first_told = min((look.time for look in mine if look.exposed is not None), default=None)
    if first_told is None:
        return attempt.start_time + watched
    # Somebody looked, and could not tell: a blue-green release is exposed by its promotion, which waited for this.
    hidden = any(look.exposed is None and look.time < first_told for look in mine)
    if hidden and first_told >= attempt.start_time + watched:
        return attempt.start_time + watched
    return passes(attempt, looks, watched)


def _readiness(reader: Reader, release: Release) -> EvidenceItem | None:
    wanted = EvidenceFilter("rollback_readiness", subjects=(Subject(SubjectType.RELEASE, release.name),))
    found = [one for one in reader.list_evidence(wanted, _READINESS).items if one.revocation is None]
    return found[0] if found else None
