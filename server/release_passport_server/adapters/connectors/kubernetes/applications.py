"""Reads an Application of Argo CD as an object of its cluster, without Argo CD's API."""

from __future__ import annotations

from release_passport_server.adapters.connectors.argo_application import applied, health_without, waiting_in
from release_passport_server.adapters.connectors.kubernetes.manifests import entries
from release_passport_server.adapters.connectors.kubernetes.objects import ObjectConnector, Objects
from release_passport_server.ports.cluster import Manifest
from release_passport_server.ports.connector import Collected


class ArgoApplication(ObjectConnector):
    """The kind `argo-cd-application`."""

    kind = "argo-cd-application"
    title = "An Application of Argo CD, over the Kubernetes API"
    evidence_kinds = ("gitops_sync",)

    def read(self, objects: Objects) -> tuple[str, str]:
        """Return that it is an Application."""
        return "argoproj.io/v1alpha1", "Application"

    async def found(self, objects: Objects, manifest: Manifest) -> Collected:
        """Return how far the application is in sync."""
        target = objects.target
        waiting = waiting_in(manifest, await target.held() if target.held is not None else ())
        # Where Argo CD keeps the health of each resource elsewhere, as it does since version 3, nothing is left out.
        told = entries(manifest, "status", "resources")
        left_out = health_without(manifest, waiting, told) if waiting else ""
        return applied(manifest, target.now, left_out)
