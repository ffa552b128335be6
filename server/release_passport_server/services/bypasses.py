"""Record what runs although no gate let it: evidence, an entry that somebody has to review, and people are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from release_passport_server.domain.access import Scope
from release_passport_server.domain.act_names import OverrideName
from release_passport_server.domain.acts import Override
from release_passport_server.domain.bypass import BYPASS_KIND, DETECTOR, Bypass, Running, is_admitted, is_new
from release_passport_server.domain.connector import Connector, Observation
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.notification import GATE_BYPASSED, notification
from release_passport_server.domain.record import AuditEntry, FeedEvent, Page
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import EvidenceFilter, Reader, ReleaseFilter, Transaction
from release_passport_server.services.reconsider import reconsider_places

ACTION = "DetectBypass"
_NEWEST = Page(100)
# What was seen last is mostly the newest look; a release that was held for long has many behind it.
_BEFORE = (20, 500)
_FARTHEST = 5000


class Seer(Protocol):
    """Whoever sees what runs of a service in an environment."""

    @property
    def service(self) -> str: ...

    @property
    def environment(self) -> str: ...

    @property
    def source(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Bypasses:
    """Looks at what was seen of a rollout."""

    messages: Messages
    ids: Ids

    def found(
        self, tx: Transaction, connector: Connector, items: Sequence[EvidenceItem]
    ) -> tuple[Observation, ...]:
        """Record what began to run unasked, before the items are stored; return what is to be stored with them."""
        seen = [one for item in items if (one := self.messages.running(item)) is not None]
        return tuple(
            told
            for one in seen
            if is_new(one, self._before(tx, connector, one.object))
            for told in self.judged(tx, connector, one)
        )

    def _before(self, tx: Transaction, connector: Connector, name: str) -> Running | None:
        """Return what the connector last saw to run as the object, None where it has seen nothing of it."""
        wanted = EvidenceFilter("rollout_status", source=connector.source)
        page, read = Page(_BEFORE[0]), 0
        while read < _FARTHEST:
            listed = tx.list_evidence(wanted, page)
            looks = (self.messages.running(item) for item in listed.items)
            found = next((one for one in looks if one is not None and one.object == name), None)
            if found is not None or not listed.next_after:
                return found
            page, read = Page(_BEFORE[1], listed.next_after), read + len(listed.items)
        # It has looked for so long that what runs now is not where it began.
        return Running(name, frozenset(), steps_skipped=False)

    def judged(self, tx: Transaction, seer: Seer, seen: Running) -> tuple[Observation, ...]:
        """Record what takes traffic unasked; return what is to be stored of it."""
        releases = _releases(tx, seer, seen.digests)
        release = releases[0] if releases else None
        how = self._how(tx, releases, seen)
        if how is None or (release is not None and _is_waiting(tx, seer, seen, release)):
            return ()
        place = (seer.service, seer.environment)
        name = "" if release is None else self._recorded(tx, seer, seen, release, how)
        detail: dict[str, object] = {
            "object": seen.object,
            "digests": sorted(seen.digests),
            "how": how.value,
            "release": "" if release is None else release.name,
            "override": name,
        }
        about = name or f"tenants/{tx.tenant}/services/{place[0]}/environments/{place[1]}"
        tx.emit(FeedEvent(GATE_BYPASSED, about, (f"workload:{'/'.join(place)}",)))
        tx.audit(AuditEntry(seer.source, ACTION, about, detail))
        tx.schedule(notification(GATE_BYPASSED, tx.tenant, about, tx.now, **detail))
        # Until somebody has looked at it, the service's next releases have to be approved.
        reconsider_places(tx, (place[0],), (place[1],))
        return (Observation(BYPASS_KIND, detail, tx.now),)

    def _how(self, tx: Transaction, releases: Sequence[Release], seen: Running) -> Bypass | None:
        if not releases:
            return Bypass.NO_RELEASE_FOR_DIGESTS
        admitted = _admitted(tx, releases, tx.now)
        if not admitted:
            return Bypass.NOT_ADMITTED
        ground = tx.find_decision(max(admitted, key=lambda one: one.number).ground)
        limited = ground is not None and self.messages.limits(ground.body).max_weight < 100
        return Bypass.STEPS_SKIPPED if seen.steps_skipped and limited else None

    def _recorded(self, tx: Transaction, seer: Seer, seen: Running, release: Release, how: Bypass) -> str:
        """Return the name of the entry that stands until a person has reviewed it."""
        newest = tx.newest_decision(release.name)
        name = OverrideName(ReleaseName.parse(release.name), self.ids.ulid(tx.now))
        tx.put_act(
            Override(
                name=str(name),
                service=seer.service,
                environment=seer.environment,
                release=release.name,
                release_digest=release.identity.digest,
                overrules=(),
                principal="",
                ticket="",
                reason=f"GATE_BYPASSED {how.value}: {seer.source} saw it run as {seen.object}",
                decision=newest.name if newest else "",
                create_time=tx.now,
                expire_time=tx.now,
                retrospective=True,
                act_time=tx.now,
                artifact_digests=tuple(sorted(seen.digests)),
                recorder=DETECTOR,
            )
        )
        return str(name)


def _is_waiting(tx: Transaction, seer: Seer, seen: Running, release: Release) -> bool:
    """Say whether the same was recorded already, by whomever it was seen, and waits for a review."""
    listed = tx.list_acts(Override, _NEWEST, key=f"{seer.service}/{seer.environment}")
    return any(
        one.recorder == DETECTOR
        and one.review_time is None
        and one.release == release.name
        and frozenset(one.artifact_digests) == seen.digests
        for one in listed.items
    )


def is_let_begin(reader: Reader, seer: Seer, digests: frozenset[str], now: datetime) -> bool:
    """Say whether a rollout of just these images was let begin there, or passed there, under any version.

    Whoever goes back to what passed under another name is on the way back, which nothing gates.
    """
    return bool(_admitted(reader, _releases(reader, seer, digests), now))


def _admitted(reader: Reader, releases: Sequence[Release], now: datetime) -> tuple[Attempt, ...]:
    """Return the attempts of the newest of the releases that was let begin."""
    for release in releases:
        attempts = reader.attempts(release.name)
        if is_admitted(attempts, now):
            return attempts
    return ()


def _releases(reader: Reader, seer: Seer, digests: frozenset[str]) -> list[Release]:
    """Return the releases of the place with just these images, newest first."""
    among = ReleaseFilter((Scope(),), seer.service, seer.environment, min(digests))
    return [
        release
        for release in reader.list_releases(among, _NEWEST).items
        if {one.digest for one in release.identity.artifacts if one.type == "image"} == digests
    ]
