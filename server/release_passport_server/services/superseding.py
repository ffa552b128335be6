"""End a rollout whose images are gone because a newer release takes the traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from release_passport_server.domain.access import Principal, Scope
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import Page
from release_passport_server.domain.release import Release
from release_passport_server.domain.watch_window import SUPERSEDED, is_gone
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Reader, ReleaseFilter, Transaction
from release_passport_server.services.asking import Ask
from release_passport_server.services.finish_rollout import put_ended
from release_passport_server.services.window_view import read_looks

# Who says so.
OBSERVER = "system:exposure"
_NEWEST = Page(20)
_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Superseding:
    """Looks at what was seen of a place, once it is stored."""

    messages: Messages

    def __call__(self, tx: Transaction, items: Sequence[EvidenceItem]) -> None:
        """End what was superseded; what latched on its digests stands.

        A release that was only made, decided or let begin supersedes nothing, and neither does one that is older.
        """
        for item in items:
            if item.subject.type is not SubjectType.WORKLOAD or item.revocation is not None:
                continue
            seen = self.messages.running(item)
            if seen is not None:
                self._judge(tx, *item.subject.value.split("/", 1), digests=seen.digests)

    def _judge(self, tx: Transaction, service: str, environment: str, *, digests: frozenset[str]) -> None:
        for attempt in tx.open_attempts(service, environment):
            name = AttemptName.parse(attempt.name).release
            release = tx.find_release(name.service, name.environment, name.version)
            assert release is not None
            newer = _newer(tx, release, digests)
            if newer is None:
                continue
            # What was seen before it began counts as well: an object that nobody looked at since may run them still.
            if is_gone(list(read_looks(tx, self.messages, attempt, release, attempt.start_time))):
                reason = f"{newer.name} was seen to be exposed, and nothing of this release is"
                ended = replace(attempt, finish_time=tx.now, outcome=SUPERSEDED, reason=reason)
                ask = Ask(Principal(OBSERVER, tx.tenant, _FAR), "SupersedeWatchWindow")
                put_ended(tx, ask, release, ended)


def _newer(reader: Reader, release: Release, digests: frozenset[str]) -> Release | None:
    """Return the release of other images, made after this one, that has just these."""
    ours = {artifact.digest for artifact in release.identity.artifacts}
    if not ours.isdisjoint(digests):
        return None
    identity = release.identity
    among = ReleaseFilter((Scope(),), identity.service, identity.environment, min(digests))
    for one in reader.list_releases(among, _NEWEST).items:
        images = {artifact.digest for artifact in one.identity.artifacts if artifact.type == "image"}
        if images == digests and one.create_time > release.create_time:
            return one
    return None
