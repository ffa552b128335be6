"""What changes say about open questions: which of them have to be decided anew.

Whoever changes something that decisions depend on calls one of these in the change's own transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from release_passport_server.domain.canonical import canonical, digest
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.glob import any_matches, is_exact
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.job import Timer
from release_passport_server.domain.kind import SubjectType
from release_passport_server.ports.leases import Scheduling
from release_passport_server.ports.store import Transaction

# Going through the open questions of many places; the payload is a Sweep.
RECONSIDER = "reconsider"
# As many places are woken in the change's own transaction.
MOST_PLACES = 16
# Every process has read by then who may do what.
KNOWN_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Which open questions to decide anew: those of the places that these globs match; none mean all."""

    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    # Envelopes that were verified under an earlier trust configuration are verified anew.
    verify: bool = False

    @property
    def payload(self) -> bytes:
        """Return the sweep as a job keeps it."""
        services, environments = sorted(self.services), sorted(self.environments)
        return canonical({"services": services, "environments": environments, "verify": self.verify})

    @classmethod
    def parse(cls, payload: bytes) -> Sweep:
        """Return the sweep of a job."""
        found = json.loads(payload)
        return cls(tuple(found["services"]), tuple(found["environments"]), found["verify"])

    def covers(self, release: str) -> bool:
        """Say whether a release lies in one of the places."""
        name = ReleaseName.parse(release)
        pairs = ((self.services, name.service), (self.environments, name.environment))
        return all(not globs or any_matches(globs, value) for globs, value in pairs)


def reconsider(tx: Scheduling, subjects: Iterable[Subject]) -> None:
    """Have the open questions decided anew that something about these subjects can change.

    Of a service in an environment these are the few that were asked last.
    """
    tx.wake(tuple(subjects))


def reconsider_release(tx: Scheduling, release: str) -> None:
    """Have one release decided anew, if its question is open."""
    tx.wake([Subject(SubjectType.RELEASE, release)])


def workload(service: str, environment: str) -> Subject:
    """Return the subject that a service in an environment is."""
    return Subject(SubjectType.WORKLOAD, f"{service}/{environment}")


def reconsider_places(tx: Transaction, services: Sequence[str], environments: Sequence[str]) -> None:
    """Have the open questions of services in environments decided anew: ids or globs, none mean all."""
    few = 0 < len(services) * len(environments) <= MOST_PLACES
    if few and all(is_exact(glob) for glob in (*services, *environments)):
        # What is new there at once, the rest in its turn.
        reconsider(tx, [workload(one, other) for one in services for other in environments])
    _schedule(tx, Sweep(tuple(services), tuple(environments)))


def reconsider_votes(tx: Transaction, services: Sequence[str], environments: Sequence[str]) -> None:
    """Have the open questions of these places decided anew once every process knows who has lost a right."""
    _schedule(tx, Sweep(tuple(services), tuple(environments)), KNOWN_AFTER)


def reconsider_tenant(tx: Transaction) -> None:
    """Have all the open questions of the tenant decided anew."""
    _schedule(tx, Sweep())


def reconsider_trust(tx: Transaction) -> None:
    """Have all the open questions of the tenant decided anew, and what their envelopes prove examined again."""
    _schedule(tx, Sweep(verify=True))


def _schedule(tx: Transaction, sweep: Sweep, after: timedelta = timedelta(0)) -> None:
    tx.schedule(Timer(RECONSIDER, digest(sweep.payload), tx.now + after, sweep.payload))
