"""Wires connectors: the settings in; the kinds, what reads them and the jobs that do so out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from release_passport import __version__
from release_passport_server.adapters.connectors.alertmanager import Alertmanager
from release_passport_server.adapters.connectors.argo_cd import ArgoCD
from release_passport_server.adapters.connectors.kubernetes.applications import ArgoApplication
from release_passport_server.adapters.connectors.kubernetes.canaries import FlaggerCanary
from release_passport_server.adapters.connectors.kubernetes.flux import Flux
from release_passport_server.adapters.connectors.kubernetes.rollouts import ArgoRollouts
from release_passport_server.adapters.connectors.kubernetes.workloads import Workload
from release_passport_server.adapters.connectors.prometheus import Prometheus
from release_passport_server.adapters.connectors.prometheus_alerts import PrometheusAlerts
from release_passport_server.adapters.connectors.rollback_readiness import RollbackReadiness
from release_passport_server.adapters.connectors.source import ConnectorSources
from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.domain.connector import COLLECT, FOLLOW
from release_passport_server.domain.image import RegistryAccess
from release_passport_server.domain.outbound import Origin, OriginInvalid
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.cluster import Cluster
from release_passport_server.ports.connector import Connector
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.registry import Registry
from release_passport_server.ports.store import Store
from release_passport_server.services.bypasses import Bypasses
from release_passport_server.services.collect_evidence import CollectEvidence, SourceReading
from release_passport_server.services.superseding import Superseding
from release_passport_server.wire.collected import ObservedEvidence
from release_passport_server.wire.messages import WireMessages
from release_passport_server.worker.collector import Collector, Follower
from release_passport_server.worker.runner import Work

# One that is followed holds its job for as long as it is; the store is told so a few times in a lease.
LEASE = timedelta(minutes=1)
FOLLOWED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Connecting:
    """What reads connectors."""

    collect: CollectEvidence
    sources: ConnectorSources


@dataclass(frozen=True, slots=True)
class Reached:
    """What the server reaches otherwise than by the addresses of connectors."""

    registry: Registry
    registries: Mapping[str, RegistryAccess]
    # None where the server was given no clusters.
    cluster: Cluster | None = None


def connecting_of(store: Store, settings: Settings, clock: Clock, ids: Ids, reached: Reached) -> Connecting:
    """Return what reads connectors; raise SettingsInvalid."""
    given = settings.connectors
    sources = ConnectorSources(
        GuardedClients(f"release-passport/{__version__}"),
        clock,
        given.credentials_folder,
        tuple(_origin(text) for text in given.internal_origins.replace(",", " ").split()),
        given.timeout_seconds,
    )
    reading = SourceReading(store, _kinds(reached), sources, clock)
    messages = WireMessages()
    bypasses, superseding = Bypasses(messages, ids), Superseding(messages)
    collect = CollectEvidence(store, reading, ObservedEvidence(), bypasses, superseding, clock, ids)
    return Connecting(collect, sources)


def connector_work(collect: CollectEvidence, clock: Clock, at_once: int) -> tuple[Mapping[str, Work], int]:
    """Return the jobs of connectors, and how many of them may run at once."""
    work = {
        COLLECT: Work(Collector(collect, clock), at_once=at_once, waits=True),
        FOLLOW: Work(Follower(collect, clock), at_once=FOLLOWED_AT_ONCE, waits=True),
    }
    return work, at_once + FOLLOWED_AT_ONCE


def _kinds(reached: Reached) -> Mapping[str, Connector]:
    """Return what this server can read, by the name of the kind; objects only where it was given clusters."""
    cluster = reached.cluster
    readiness = RollbackReadiness(reached.registry, reached.registries, cluster)
    every: list[Connector] = [Alertmanager(), ArgoCD(), Prometheus(), PrometheusAlerts(), readiness]
    if cluster is not None:
        every += [kind(cluster) for kind in (ArgoRollouts, FlaggerCanary, ArgoApplication, Flux, Workload)]
    return {one.kind: one for one in every}


def _origin(text: str) -> Origin:
    try:
        return Origin.of(text, internal=True)
    except OriginInvalid as error:
        raise SettingsInvalid(f"connectors.internal_origins: {text} {error}") from error
