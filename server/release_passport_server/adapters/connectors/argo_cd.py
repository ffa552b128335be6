"""Reads an Application from Argo CD's own API, with a token of its project.

Always with the project: then a foreign application is absent rather than refused. Never with `refresh`, which changes
the application though it looks like reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import StringConstraints

from release_passport_server.adapters.connectors.argo_application import applied, health_without, waiting_in
from release_passport_server.adapters.connectors.kubernetes.manifests import entries, word
from release_passport_server.adapters.connectors.reading import (
    SettingsModel,
    broken,
    mapping,
    settings_of,
    source_of,
)
from release_passport_server.ports.connector import Collected, Probe, Target

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]


class ArgoCDSettings(SettingsModel):
    """Which application is read."""

    application: _Name
    project: _Name
    # Where applications may be in other namespaces than Argo CD itself.
    namespace: _Name | None = None


class ArgoCD:
    """The kind `argo-cd`."""

    kind = "argo-cd"
    title = "An Application of Argo CD, over Argo CD's API"
    evidence_kinds = ("gitops_sync",)
    has_endpoint = True

    def settings(self, given: Mapping[str, Any]) -> ArgoCDSettings:
        """Return which application is read; raise SettingsRefused."""
        return settings_of(ArgoCDSettings, given)

    async def collect(self, target: Target) -> Collected:
        """Return how far the application is in sync."""
        source, settings = source_of(target), target.settings
        asked = {"project": settings.project}
        if settings.namespace is not None:
            asked["appNamespace"] = settings.namespace
        path = f"/api/v1/applications/{quote(settings.application, safe='')}"
        answer = await source.get(path, asked)
        application = mapping(answer.value, source.place, "an object")
        found = word(application, "metadata", "name"), word(application, "spec", "project")
        if found != (settings.application, settings.project):
            raise broken(source.place, "the application that was asked for")
        waiting = waiting_in(application, await target.held() if target.held is not None else ())
        if not waiting:
            return applied(application, target.now)
        # Its own status has no health of single resources since version 3.
        tree = await source.get(f"{path}/resource-tree", asked, allowed=(403, 404))
        nodes = entries(tree.value, "nodes") if tree.status == 200 else ()
        return applied(application, target.now, health_without(application, waiting, nodes))

    async def probe(self, target: Target) -> Probe:
        """Say whether the application can be seen, and which policy of its project would let it be."""
        settings, place = target.settings, source_of(target).place
        which = (
            settings.application
            if settings.namespace is None
            else f"{settings.namespace}/{settings.application}"
        )
        collected = await self.collect(target)
        seen = (f"{which} of {place}",) if collected.observations else ()
        return Probe(seen, collected.problems, grant_of(settings.project, which))


def grant_of(project: str, which: str) -> str:
    """Return the policy line of a project's role that lets its token read one application, and nothing else."""
    role = f"proj:{project}:release-passport"
    return f"p, {role}, applications, get, {project}/{which}, allow"
