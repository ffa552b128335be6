"""Pages of every list at any depth, read through the store itself: what a caller waits for beside the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from perf.past import OTHER_ENVIRONMENTS, Size, service_id
from perf.workload import ENVIRONMENT, SOURCE
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.access import Scope
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.store import DecisionFilter, EvidenceFilter, Reader, ReleaseFilter
from release_passport_server.services.subjects import subjects_of

PAGE = 100
DEPTHS = (0.0, 0.1, 0.5, 0.9, 0.999)
_ALL = (Scope(),)
_RARE = OTHER_ENVIRONMENTS[-1]

List = Callable[[Reader, Page], Listed[Any]]


@dataclass(frozen=True, slots=True)
class Paged:
    """How long pages of one list took at each depth, in milliseconds, and how many rows came."""

    name: str
    milliseconds: Mapping[float, float]
    rows: Mapping[float, int]

    @property
    def worst(self) -> float:
        """Return the time of the slowest depth."""
        return max(self.milliseconds.values())


async def pages(store: SQLStore, tenant: str, size: Size, *, rounds: int = 5) -> list[Paged]:
    """Read a page of every list at every depth; the median of some rounds counts."""
    head = await store.read(tenant, lambda reader: reader.revision())
    cases = await store.read(tenant, lambda reader: lists(reader, size))
    return [await _paged(store, tenant, name, one, head, rounds) for name, one in cases.items()]


async def _paged(store: SQLStore, tenant: str, name: str, one: List, head: int, rounds: int) -> Paged:
    times, rows = {}, {}
    for depth in DEPTHS:
        # A place between rows is as good as one that a list gave.
        page = Page(PAGE, f"{int(head * (1 - depth))} ~" if depth else "")

        def act(reader: Reader, page: Page = page) -> tuple[float, int]:
            began = perf_counter()
            listed = one(reader, page)
            return perf_counter() - began, len(listed.items)

        found = [await store.read(tenant, act) for _ in range(rounds)]
        times[depth] = median(seconds for seconds, _ in found) * 1000
        rows[depth] = found[0][1]
    return Paged(name, times, rows)


def lists(reader: Reader, size: Size) -> dict[str, List]:
    """Return every list with every filter."""
    return {**_releases(reader, size), **_decisions(reader, size), **_evidence(reader, size)}


def _releases(reader: Reader, size: Size) -> dict[str, List]:
    popular, rare, (artifact, _) = service_id(0), service_id(size.services - 1), _some_release(reader)
    filters = {
        "all": ReleaseFilter(_ALL),
        "popular service": ReleaseFilter(_ALL, service=popular),
        "rare service": ReleaseFilter(_ALL, service=rare),
        "frequent environment": ReleaseFilter(_ALL, environment=ENVIRONMENT),
        "rare environment": ReleaseFilter(_ALL, environment=_RARE),
        "service and environment": ReleaseFilter(_ALL, popular, ENVIRONMENT),
        "artifact": ReleaseFilter(_ALL, artifact_digest=artifact),
        **{name: ReleaseFilter(scopes) for name, scopes in _scopes(size).items()},
    }
    return {f"releases, {name}": partial(_read, "list_releases", wanted) for name, wanted in filters.items()}


def _decisions(reader: Reader, size: Size) -> dict[str, List]:
    popular, rare, (_, release) = service_id(0), service_id(size.services - 1), _some_release(reader)
    seldom = Verdict.ROLLBACK_RECOMMENDED
    filters = {
        "all": DecisionFilter(_ALL),
        "release": DecisionFilter(_ALL, release=release),
        "popular service": DecisionFilter(_ALL, service=popular),
        "rare service": DecisionFilter(_ALL, service=rare),
        "frequent environment": DecisionFilter(_ALL, environment=ENVIRONMENT),
        "rare environment": DecisionFilter(_ALL, environment=_RARE),
        "rare verdict": DecisionFilter(_ALL, effective_verdict=seldom),
        "frequent verdict": DecisionFilter(_ALL, effective_verdict=Verdict.HOLD),
        "rare verdict of a service": DecisionFilter(_ALL, service=popular, effective_verdict=seldom),
        **{name: DecisionFilter(scopes) for name, scopes in _scopes(size).items()},
        "rare verdict in half of the services": DecisionFilter(_half(), effective_verdict=seldom),
    }
    return {
        f"decisions, {name}": partial(_read, "list_decisions", wanted) for name, wanted in filters.items()
    }


def _evidence(reader: Reader, size: Size) -> dict[str, List]:
    release = reader.list_releases(ReleaseFilter(_ALL), Page(1)).items[0]
    workload = Subject(SubjectType.WORKLOAD, f"{service_id(0)}/{ENVIRONMENT}")
    filters = {
        "all": EvidenceFilter(),
        "frequent kind": EvidenceFilter(kind="metric_sample"),
        "absent kind": EvidenceFilter(kind="sbom"),
        "source": EvidenceFilter(source=SOURCE),
        "absent source": EvidenceFilter(source="sa:nobody"),
        "kind and source": EvidenceFilter(kind="change_ticket", source=SOURCE),
        "workload": EvidenceFilter(subjects=(workload,)),
        "kind of a workload": EvidenceFilter(kind="incident_state", subjects=(workload,)),
        "absent kind of a workload": EvidenceFilter(kind="sbom", subjects=(workload,)),
        "release": EvidenceFilter(subjects=subjects_of(release)),
    }
    return {f"evidence, {name}": partial(_read, "list_evidence", wanted) for name, wanted in filters.items()}


def _read(method: str, wanted: object, reader: Reader, page: Page) -> Listed[Any]:
    listed: Listed[Any] = getattr(reader, method)(wanted, page)
    return listed


def _scopes(size: Size) -> dict[str, tuple[Scope, ...]]:
    return {
        "sees a rare service": (Scope((service_id(size.services - 1),)),),
        "sees half of the services": _half(),
        "sees a rare environment": (Scope(("*",), (_RARE,)),),
    }


def _half() -> tuple[Scope, ...]:
    return (Scope(("service-1*", "service-2*"), (ENVIRONMENT, "te*")),)


def _some_release(reader: Reader) -> tuple[str, str]:
    release = reader.list_releases(ReleaseFilter(_ALL), Page(1)).items[0]
    return release.identity.artifacts[0].digest, release.name
