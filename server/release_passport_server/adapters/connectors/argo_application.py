"""What an Application of Argo CD says, wherever it was read: as an object of a cluster, or from Argo CD's API.

None of its words is enough alone: an application can be healthy while its last synchronisation failed, and in sync with
a revision that was never applied. Each stands as a fact of its own, and rules ask for all of them together.

A workload that waits at a gate of ours makes its application Suspended, Progressing or Unknown, and would wait for ever
where the gate waits for the application. So health leaves it out, where the health of each resource is known and shows
that nothing else is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from release_passport_server.adapters.connectors.kubernetes.manifests import (
    digests,
    entries,
    fields,
    known,
    moment,
    part,
    word,
)
from release_passport_server.adapters.connectors.reading import time_of
from release_passport_server.domain.connector import Observation
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.gate import HeldWorkload
from release_passport_server.domain.kind import SubjectType
from release_passport_server.ports.connector import Collected

_SYNC = {"Synced": "SYNCED", "OutOfSync": "OUT_OF_SYNC", "Unknown": "UNKNOWN"}
_HEALTH = frozenset({"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"})
_OPERATION = frozenset({"Running", "Terminating", "Failed", "Error", "Succeeded"})
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_CONDITIONS = 50


# From the best to the worst, as Argo CD puts the health of resources together (gitops-engine, pkg/health).
_WORSE = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")
# How a workload is called that stands still because it was told to.
_WAITING = frozenset({"Suspended", "Progressing", "Unknown"})

Resource = tuple[str, str, str, str]


def applied(application: Mapping[str, Any], now: datetime, left_out: str = "") -> Collected:
    """Return the evidence about the commit with which the application was compared last.

    `left_out` is its health without the workloads that wait at gates of ours, where that is another.
    """
    revision = word(application, "status", "sync", "revision")
    if not _COMMIT.fullmatch(revision):
        several = part(application, "status", "sync", "revisions")
        commits = [one for one in several if _is_commit(one)] if isinstance(several, list) else []
        # Several sources are one release only where a single one of them is a commit.
        revision = commits[0] if len(set(commits)) == 1 else ""
    if not revision:
        return Collected(
            (), ("it was compared with nothing that is one commit: there is no release to bind to",)
        )
    reconciled = time_of(part(application, "status", "reconciledAt"))
    if reconciled is None:
        return Collected((), ("it does not say when it was compared last",))
    subject = Subject(SubjectType.SOURCE, revision)
    # Read now, but as it was when the controller looked.
    observed = min(reconciled, now)
    facts = application_facts(application, revision)
    if left_out:
        facts |= {"health": f"HEALTH_STATE_{left_out.upper()}", "held_by_us": True}
    return Collected((Observation("gitops_sync", facts, observed, subject),))


def waiting_in(application: Mapping[str, Any], held: Iterable[HeldWorkload]) -> frozenset[Resource]:
    """Return which resources of an application that is not healthy wait at gates of ours with what it runs."""
    status = fields(application, "status")
    if word(status, "health", "status") not in _WAITING:
        return frozenset()
    images = part(status, "summary", "images")
    live = (
        {digest for one in images for digest in digests((one,)) or ()} if isinstance(images, list) else set()
    )
    ours = {(one.group, one.kind, one.namespace, one.name) for one in held if one.digests <= live}
    return frozenset(key for one in entries(status, "resources") if (key := _key(one)) in ours)


def health_without(
    application: Mapping[str, Any], left_out: frozenset[Resource], told: Iterable[Mapping[str, Any]]
) -> str:
    """Return the health of the other resources by what is told of each; empty where that is not known."""
    status = fields(application, "status")
    managed = {_key(one) for one in entries(status, "resources")}
    health = {_key(one): word(one, "health", "status") for one in told if part(one, "health", "status")}
    health = {key: value for key, value in health.items() if key in managed}
    if not left_out <= health.keys() or not all(value in _WORSE for value in health.values()):
        return ""
    if _worst(health.values()) != word(status, "health", "status"):
        # They were looked at at different times.
        return ""
    if any(health[key] not in _WAITING for key in left_out):
        return ""
    return _worst(value for key, value in health.items() if key not in left_out)


def _worst(found: Iterable[str]) -> str:
    return max(found, key=_WORSE.index, default="Healthy")


def _key(resource: Mapping[str, Any]) -> Resource:
    group, kind = word(resource, "group"), word(resource, "kind")
    return group, kind, word(resource, "namespace"), word(resource, "name")


def application_facts(application: Mapping[str, Any], revision: str) -> dict[str, Any]:
    """Return what an application says of itself."""
    status = fields(application, "status")
    sync, health = word(status, "sync", "status"), word(status, "health", "status")
    operation = word(status, "operationState", "phase")
    images = part(status, "summary", "images")
    live = digests(images) if isinstance(images, list) else None
    project, name = word(application, "spec", "project"), word(application, "metadata", "name")
    automated = part(application, "spec", "syncPolicy", "automated")
    return known(
        application=f"{project or 'default'}/{name}"[:256],
        controller="argocd",
        sync_state=f"SYNC_STATE_{_SYNC[sync]}" if sync in _SYNC else None,
        health=f"HEALTH_STATE_{health.upper()}" if health in _HEALTH else None,
        operation_state=f"OPERATION_STATE_{operation.upper()}" if operation in _OPERATION else None,
        operation_message=word(status, "operationState", "message"),
        revision=revision,
        operation_revision=_operation_revision(status, revision),
        auto_sync=isinstance(automated, Mapping) and automated.get("enabled") is not False,
        reconcile_time=moment(status, "reconciledAt"),
        conditions=_conditions(status) or None,
        image_digests=live,
        complete=True if live else None,
    )


def _operation_revision(status: Mapping[str, Any], revision: str) -> str:
    result = fields(status, "operationState", "syncResult")
    several = part(result, "revisions")
    if isinstance(several, list) and revision in several:
        return revision
    return word(result, "revision")


def _conditions(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the conditions: an application has them only where something is to be said."""
    return [
        known(
            type=word(one, "type"),
            status="True",
            message=word(one, "message"),
            transition_time=moment(one, "lastTransitionTime"),
        )
        for one in entries(status, "conditions")[:_MOST_CONDITIONS]
    ]


def _is_commit(value: object) -> bool:
    return isinstance(value, str) and _COMMIT.fullmatch(value) is not None
