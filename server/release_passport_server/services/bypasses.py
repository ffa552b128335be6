"""Record what runs although no gate let it: evidence, an entry that somebody has to review, and people are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release_passport_server.domain.access import Scope
from release_passport_server.domain.act_names import OverrideName
from release_passport_server.domain.acts import Override
from release_passport_server.domain.bypass import BYPASS_KIND, DETECTOR, Bypass, Running, is_admitted, is_new
from release_passport_server.domain.connector import Connector, Observation
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.notification import GATE_BYPASSED, notification
from release_passport_server.domain.record import AuditEntry, FeedEvent, Page
from release_passport_server.domain.release import Release
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import EvidenceFilter, ReleaseFilter, Transaction
from release_passport_server.services.reconsider import reconsider_places

ACTION = "DetectBypass"
_NEWEST = Page(100)
_BEFORE = Page(20)


@dataclass(frozen=True, slots=True)
class Bypasses:
    """Looks at what a connector has seen of a rollout."""

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
            for told in self._judged(tx, connector, one)
        )

    def _before(self, tx: Transaction, connector: Connector, name: str) -> Running | None:
        """Return what the connector saw of the object before."""
        wanted = EvidenceFilter("rollout_status", source=connector.source)
        looks = (self.messages.running(item) for item in tx.list_evidence(wanted, _BEFORE).items)
        return next((one for one in looks if one is not None and one.object == name), None)

    def _judged(self, tx: Transaction, connector: Connector, seen: Running) -> tuple[Observation, ...]:
        release = _release(tx, connector, seen.digests)
        how = self._how(tx, release, seen)
        if how is None:
            return ()
        place = (connector.service, connector.environment)
        name = "" if release is None else self._recorded(tx, connector, seen, release, how)
        detail: dict[str, object] = {
            "object": seen.object,
            "digests": sorted(seen.digests),
            "how": how.value,
            "release": "" if release is None else release.name,
            "override": name,
        }
        about = name or f"tenants/{tx.tenant}/services/{place[0]}/environments/{place[1]}"
        tx.emit(FeedEvent(GATE_BYPASSED, about, (f"workload:{'/'.join(place)}",)))
        tx.audit(AuditEntry(connector.source, ACTION, about, detail))
        tx.schedule(notification(GATE_BYPASSED, tx.tenant, about, tx.now, **detail))
        # Until somebody has looked at it, the service's next releases have to be approved.
        reconsider_places(tx, (place[0],), (place[1],))
        return (Observation(BYPASS_KIND, detail, tx.now),)

    def _how(self, tx: Transaction, release: Release | None, seen: Running) -> Bypass | None:
        if release is None:
            return Bypass.NO_RELEASE_FOR_DIGESTS
        attempts = tx.attempts(release.name)
        if not is_admitted(attempts, tx.now):
            return Bypass.NOT_ADMITTED
        ground = tx.find_decision(max(attempts, key=lambda one: one.number).ground)
        limited = ground is not None and self.messages.limits(ground.body).max_weight < 100
        return Bypass.STEPS_SKIPPED if seen.steps_skipped and limited else None

    def _recorded(
        self, tx: Transaction, connector: Connector, seen: Running, release: Release, how: Bypass
    ) -> str:
        """Return the name of the entry that stands until a person has reviewed it."""
        newest = tx.newest_decision(release.name)
        name = OverrideName(ReleaseName.parse(release.name), self.ids.ulid(tx.now))
        tx.put_act(
            Override(
                name=str(name),
                service=connector.service,
                environment=connector.environment,
                release=release.name,
                release_digest=release.identity.digest,
                overrules=(),
                principal="",
                ticket="",
                reason=f"GATE_BYPASSED {how.value}: {connector.source} saw it run as {seen.object}",
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


def _release(tx: Transaction, connector: Connector, digests: frozenset[str]) -> Release | None:
    """Return the newest release of the connector's place with just these images."""
    among = ReleaseFilter((Scope(),), connector.service, connector.environment, min(digests))
    for release in tx.list_releases(among, _NEWEST).items:
        if {one.digest for one in release.identity.artifacts if one.type == "image"} == digests:
            return release
    return None
