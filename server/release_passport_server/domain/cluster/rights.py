"""The rights that reading objects of a cluster takes, and the manifest that grants just these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

# What is read at all, with the name of each kind in the API's paths and rules.
RESOURCES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("", "Pod"): "pods",
        ("apps", "Deployment"): "deployments",
        ("apps", "DaemonSet"): "daemonsets",
        ("apps", "StatefulSet"): "statefulsets",
        ("apps", "ReplicaSet"): "replicasets",
        ("flagger.app", "Canary"): "canaries",
        ("argoproj.io", "Rollout"): "rollouts",
        ("argoproj.io", "AnalysisRun"): "analysisruns",
        ("argoproj.io", "Application"): "applications",
        ("kustomize.toolkit.fluxcd.io", "Kustomization"): "kustomizations",
        ("helm.toolkit.fluxcd.io", "HelmRelease"): "helmreleases",
        ("source.toolkit.fluxcd.io", "GitRepository"): "gitrepositories",
        ("source.toolkit.fluxcd.io", "OCIRepository"): "ocirepositories",
    }
)


class NotRead(ValueError):
    """Objects of this kind are never read; the text says so."""


def group_of(api_version: str) -> str:
    """Return the API group of an API version; it is empty for the oldest kinds."""
    group, slash, _ = api_version.partition("/")
    return group if slash else ""


def resource_of(api_version: str, kind: str) -> str:
    """Return the name of a kind in paths and rules; raise NotRead."""
    found = RESOURCES.get((group_of(api_version), kind))
    if found is None:
        raise NotRead(f"{kind[:100]!r} of {api_version[:100]!r} is no kind of object that is read")
    return found


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Verbs on one object of a namespace, or on all of a kind where no name is given."""

    namespace: str
    group: str
    resource: str
    name: str
    verbs: tuple[str, ...]

    @classmethod
    def to(cls, verbs: Iterable[str], api_version: str, kind: str, namespace: str, name: str = "") -> Right:
        """Return the right to some verbs on objects of a kind; raise NotRead."""
        resource = resource_of(api_version, kind)
        return cls(namespace, group_of(api_version), resource, name, tuple(verbs))

    def __str__(self) -> str:
        of_group = f".{self.group}" if self.group else ""
        what = f"{self.resource}{of_group}" + (f"/{self.name}" if self.name else "")
        return f"{', '.join(self.verbs)} on {what} in namespace {self.namespace}"


def role_manifest(rights: Iterable[Right], *, role: str, account: str, account_namespace: str) -> str:
    """Return Roles and RoleBindings of a name, as YAML, that grant a service account these rights and nothing else."""
    by_namespace: dict[str, list[Right]] = {}
    for right in sorted(set(rights)):
        by_namespace.setdefault(right.namespace, []).append(right)
    documents = [
        _role(role, namespace, given) + "---\n" + _binding(role, namespace, account, account_namespace)
        for namespace, given in by_namespace.items()
    ]
    return "---\n".join(documents)


def _role(role: str, namespace: str, rights: Iterable[Right]) -> str:
    rules = "".join(
        f'  - apiGroups: ["{right.group}"]\n    resources: [{right.resource}]\n'
        + (f"    resourceNames: [{_text(right.name)}]\n" if right.name else "")
        + f"    verbs: [{', '.join(right.verbs)}]\n"
        for right in rights
    )
    return f"{_head('Role', role, namespace)}rules:\n{rules}"


def _binding(role: str, namespace: str, account: str, account_namespace: str) -> str:
    return (
        f"{_head('RoleBinding', role, namespace)}roleRef:\n"
        f"  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {_text(role)}\n"
        f"subjects:\n  - kind: ServiceAccount\n    name: {_text(account)}\n"
        f"    namespace: {_text(account_namespace)}\n"
    )


def _head(kind: str, name: str, namespace: str) -> str:
    return (
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n"
        f"metadata:\n  name: {_text(name)}\n  namespace: {_text(namespace)}\n"
    )


def _text(name: str) -> str:
    """Return a name as YAML reads it as text, whatever it looks like."""
    return '"' + "".join(one for one in name if one.isascii() and (one.isalnum() or one in "-._:")) + '"'
