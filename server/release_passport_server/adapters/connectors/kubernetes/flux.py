"""Reads what Flux applies: a Kustomization or a HelmRelease, with the commit or the digest that it was made of."""

from __future__ import annotations

import re
from typing import Any, Literal

from release_passport_server.adapters.connectors.kubernetes.manifests import (
    condition,
    conditions,
    count,
    entries,
    fields,
    flag,
    generation_current,
    known,
    word,
)
from release_passport_server.adapters.connectors.kubernetes.objects import (
    ObjectConnector,
    Objects,
    ObjectSettings,
)
from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.connector import Observation
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.ports.cluster import Manifest
from release_passport_server.ports.connector import Collected

KUSTOMIZE, HELM, SOURCE = (
    "kustomize.toolkit.fluxcd.io/v1",
    "helm.toolkit.fluxcd.io/v2",
    "source.toolkit.fluxcd.io/v1",
)
_COMMIT = re.compile(r"(?:^|[@/:])sha1:([0-9a-f]{40})$|(?:^|[@/])([0-9a-f]{40})$")
_DIGEST = re.compile(r"(?:^|@)(sha256:[0-9a-f]{64})$")


class FluxSettings(ObjectSettings):
    """Which object is read."""

    object_kind: Literal["Kustomization", "HelmRelease"] = "Kustomization"


class Flux(ObjectConnector):
    """The kind `flux`."""

    kind = "flux"
    title = "A Kustomization or HelmRelease of Flux"
    evidence_kinds = ("gitops_sync",)
    settings_model = FluxSettings

    def read(self, objects: Objects) -> tuple[str, str]:
        """Return which of the two it is."""
        kind = _kind(objects)
        return (KUSTOMIZE if kind == "Kustomization" else HELM), kind

    def rights(self, objects: Objects) -> tuple[Right, ...]:
        """Return what it takes to read the repository that a chart is made from."""
        if _kind(objects) == "Kustomization":
            return ()
        return (Right.to(("get",), SOURCE, "GitRepository", objects.settings.namespace),)

    async def found(self, objects: Objects, manifest: Manifest) -> Collected:
        """Return how far what was fetched is applied."""
        problems: list[str] = []
        if _kind(objects) == "Kustomization":
            attempted = word(manifest, "status", "lastAttemptedRevision")
            done = word(manifest, "status", "lastAppliedRevision")
        else:
            attempted, done = await self._chart(objects, manifest, problems)
        subject = bound(attempted)
        if subject is None:
            problems.append(
                "what was fetched last is neither a commit nor a digest: there is no release to bind to"
            )
            return Collected((), tuple(problems))
        facts = flux_facts(manifest, attempted, done)
        return Collected((Observation("gitops_sync", facts, objects.target.now, subject),), tuple(problems))

    async def _chart(self, objects: Objects, manifest: Manifest, problems: list[str]) -> tuple[str, str]:
        """Return what a HelmRelease was attempted with and what it is at: its chart's digest, or its commit."""
        history = entries(manifest, "status", "history")
        newest = history[0] if history else {}
        attempted = word(manifest, "status", "lastAttemptedRevisionDigest") or word(newest, "ociDigest")
        if attempted:
            return attempted, word(newest, "ociDigest")
        reference = fields(manifest, "spec", "chart", "spec", "sourceRef")
        name, space = word(reference, "name"), word(reference, "namespace")
        if word(reference, "kind") != "GitRepository" or not name:
            return "", ""
        if space not in ("", objects.settings.namespace):
            problems.append("its repository is in another namespace, and is not read")
            return "", ""
        repository = await objects.beside(problems, SOURCE, "GitRepository", name)
        revision = word(repository, "status", "artifact", "revision")
        deployed = word(newest, "status") == "deployed"
        return revision, revision if deployed and generation_current(manifest) else ""


def bound(revision: str) -> Subject | None:
    """Return what a revision of Flux is: a commit (`main@sha1:…`), or the digest of manifests (`latest@sha256:…`)."""
    commit = commit_of(revision)
    if commit:
        return Subject(SubjectType.SOURCE, commit)
    digest = _DIGEST.search(revision)
    return Subject(SubjectType.MANIFEST, digest[1]) if digest else None


def commit_of(revision: str) -> str:
    """Return the commit of a revision, empty where it is none."""
    found = _COMMIT.search(revision)
    return (found[1] or found[2]) if found else ""


def flux_facts(manifest: Manifest, attempted: str, done: str) -> dict[str, Any]:
    """Return how far an object of Flux is; what its status is not about any more is left out."""
    ready, stalled = condition(manifest, "Ready"), condition(manifest, "Stalled")
    is_current = generation_current(manifest)
    seen, wanted = count(ready, "observedGeneration"), count(manifest, "metadata", "generation")
    if is_current and seen is not None and seen != wanted:
        is_current = False
    suspended = flag(manifest, "spec", "suspend")
    space, name = word(manifest, "metadata", "namespace"), word(manifest, "metadata", "name")
    facts = known(
        application=f"{space}/{name}"[:256],
        controller="flux",
        operation_message=word(ready, "message"),
        revision=_short(attempted),
        operation_revision=_short(done),
        suspended=suspended,
        auto_sync=not suspended,
        observed_generation_current=is_current,
        conditions=conditions(manifest) or None,
    )
    if not is_current:
        return facts
    if attempted and done:
        same = attempted == done and word(ready, "status") == "True"
        facts["sync_state"] = "SYNC_STATE_SYNCED" if same else "SYNC_STATE_OUT_OF_SYNC"
    elif attempted:
        facts["sync_state"] = "SYNC_STATE_OUT_OF_SYNC"
    state = word(ready, "status")
    if word(stalled, "status") == "True" or state == "False":
        return facts | {"health": "HEALTH_STATE_DEGRADED", "operation_state": "OPERATION_STATE_FAILED"}
    if word(condition(manifest, "Reconciling"), "status") == "True" or state == "Unknown":
        return facts | {"health": "HEALTH_STATE_PROGRESSING", "operation_state": "OPERATION_STATE_RUNNING"}
    if state == "True":
        return facts | {"health": "HEALTH_STATE_HEALTHY", "operation_state": "OPERATION_STATE_SUCCEEDED"}
    return facts


def _short(revision: str) -> str:
    digest = _DIGEST.search(revision)
    return commit_of(revision) or (digest[1] if digest else revision)


def _kind(objects: Objects) -> str:
    settings = objects.settings
    assert isinstance(settings, FluxSettings)
    return settings.object_kind
