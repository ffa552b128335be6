"""What a Kubernetes API server keeps: objects, their versions and generations, what happened, and who may do what.

Rules as in k8s.io/apiserver: each write gets the next `resourceVersion`, of all kinds together; `generation` grows when
something besides metadata (and besides the status, where that is a subresource) changes; a write with another
`resourceVersion` than the object has is a conflict; what was compacted cannot be watched from.
"""

from __future__ import annotations

import copy
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# Plural name of each kind that is served, and whether its status is a subresource.
KINDS: Mapping[str, tuple[str, str, bool]] = {
    "pods": ("v1", "Pod", True),
    "events": ("v1", "Event", False),
    "secrets": ("v1", "Secret", False),
    "configmaps": ("v1", "ConfigMap", False),
    "deployments": ("apps/v1", "Deployment", True),
    "daemonsets": ("apps/v1", "DaemonSet", True),
    "statefulsets": ("apps/v1", "StatefulSet", True),
    "replicasets": ("apps/v1", "ReplicaSet", True),
    "canaries": ("flagger.app/v1beta1", "Canary", True),
    "rollouts": ("argoproj.io/v1alpha1", "Rollout", True),
    "analysisruns": ("argoproj.io/v1alpha1", "AnalysisRun", False),
    "applications": ("argoproj.io/v1alpha1", "Application", False),
    "kustomizations": ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", True),
    "helmreleases": ("helm.toolkit.fluxcd.io/v2", "HelmRelease", True),
    "gitrepositories": ("source.toolkit.fluxcd.io/v1", "GitRepository", True),
    "ocirepositories": ("source.toolkit.fluxcd.io/v1", "OCIRepository", True),
}
RESOURCES = {kind: resource for resource, (_, kind, _) in KINDS.items()}

Manifest = dict[str, Any]
Key = tuple[str, str, str]


class Refused(Exception):
    """A request that the API server refuses, with the parts of its Status."""

    def __init__(self, code: int, reason: str, message: str, details: Manifest | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details or {}

    def status(self) -> Manifest:
        """Return the body that the API server answers with."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a Role: in these namespaces; without names it is about all objects."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ("*",)

    def allows(self, verb: str, resource: str, namespace: str, name: str) -> bool:
        """Say whether the rule covers a request; one without a name is covered by rules without names alone."""
        return (
            ("*" in self.verbs or verb in self.verbs)
            and ("*" in self.resources or resource in self.resources)
            and ("*" in self.namespaces or namespace in self.namespaces)
            and (not self.names or name in self.names)
        )


ADMIN = (Rule(("*",), ("*",)),)


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the history."""

    version: int
    type: str
    key: Key
    object: Manifest


@dataclass(slots=True)
class ObjectStore:
    """The objects; safe to use from any thread."""

    version: int = 100
    # Nothing before this is remembered.
    compacted: int = 100
    objects: dict[Key, Manifest] = field(default_factory=dict)
    history: list[Happened] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    # Called after each write, in the writer's thread.
    changed: Callable[[], None] = lambda: None

    def read(self, resource: str, namespace: str, name: str) -> Manifest:
        """Return a copy of an object; raise Refused 404."""
        with self.lock:
            found = self.objects.get((resource, namespace, name))
            if found is None:
                raise _not_found(resource, name)
            return copy.deepcopy(found)

    def select(self, resource: str, namespace: str, keep: Callable[[Manifest], bool]) -> list[Manifest]:
        """Return copies of the objects of a kind; an empty namespace stands for all."""
        with self.lock:
            return [
                copy.deepcopy(found)
                for key, found in sorted(self.objects.items())
                if key[0] == resource and namespace in {"", key[1]} and keep(found)
            ]

    def put(self, given: Mapping[str, Any]) -> Manifest:
        """Put an object as a test wants it, its status too; what is there is replaced."""
        resource = RESOURCES[given["kind"]]
        with self.lock:
            made = copy.deepcopy(dict(given))
            key = self._key(resource, made)
            before = self.objects.get(key)
            if before is None:
                return self._added(key, made)
            return self._written(key, before, made, "uid" not in made["metadata"])

    def create(self, resource: str, namespace: str, given: Manifest) -> Manifest:
        """Create an object as a client does: its status is left out where that is a subresource."""
        with self.lock:
            made = copy.deepcopy(given)
            made.setdefault("metadata", {})["namespace"] = namespace
            key = self._key(resource, made)
            if key in self.objects:
                raise Refused(409, "AlreadyExists", f'{_named(resource)} "{key[2]}" already exists')
            if KINDS[resource][2]:
                made.pop("status", None)
            return self._added(key, made)

    def replace(self, key: Key, given: Manifest, *, status: bool) -> Manifest:
        """Replace an object, or its status alone; raise Refused 404, 409 or 422."""
        with self.lock:
            before = self.read(*key)
            claimed = str(given.get("metadata", {}).get("resourceVersion", ""))
            if not claimed:
                text = f'{_named(key[0])} "{key[2]}" is invalid: metadata.resourceVersion: must be specified'
                raise Refused(422, "Invalid", text)
            return self._locked(key, before, given, claimed, status=status)

    def merge(self, key: Key, patch: Manifest, *, status: bool) -> Manifest:
        """Apply a merge patch; where it holds a resourceVersion it is a condition."""
        with self.lock:
            before = self.read(*key)
            claimed = str(patch.get("metadata", {}).get("resourceVersion", ""))
            return self._locked(key, before, merged(before, patch), claimed, status=status)

    def delete(self, resource: str, namespace: str, name: str) -> None:
        """Delete an object; raise Refused 404."""
        with self.lock:
            gone = self.read(resource, namespace, name)
            del self.objects[resource, namespace, name]
            self._happened("DELETED", (resource, namespace, name), gone)

    def compact(self) -> None:
        """Forget what happened so far: a watch from an earlier version is answered with 410."""
        with self.lock:
            self.version += 1
            self.compacted = self.version
            self.history.clear()

    def since(self, version: int) -> Iterator[Happened]:
        """Yield what happened after a version; raise Refused 410 where that is no longer known."""
        with self.lock:
            if version < self.compacted:
                text = f"too old resource version: {version} ({self.compacted})"
                raise Refused(410, "Expired", text)
            return iter([one for one in self.history if one.version > version])

    def _locked(self, key: Key, before: Manifest, given: Manifest, claimed: str, *, status: bool) -> Manifest:
        if claimed and claimed != before["metadata"]["resourceVersion"]:
            text = (
                f'Operation cannot be fulfilled on {_named(key[0])} "{key[2]}": the object has been modified; '
                "please apply your changes to the latest version and try again"
            )
            raise Refused(409, "Conflict", text)
        after = copy.deepcopy(given)
        if status:
            after = {**before, "status": after.get("status", {})}
        elif KINDS[key[0]][2]:
            after.pop("status", None)
            if "status" in before:
                after["status"] = before["status"]
        return self._written(key, before, after, True)

    def _written(self, key: Key, before: Manifest, after: Manifest, keep_server_parts: bool) -> Manifest:
        after = copy.deepcopy(after)
        meta, old = after.setdefault("metadata", {}), before["metadata"]
        if keep_server_parts:
            meta |= {one: old[one] for one in ("uid", "creationTimestamp") if one in old}
        meta["name"], meta["namespace"] = key[2], key[1]
        meta["generation"] = old.get("generation", 1) + (_told(key, before) != _told(key, after))
        meta["resourceVersion"] = old["resourceVersion"]
        if after == before:
            # A write that changes nothing is no change.
            return copy.deepcopy(before)
        return self._happened("MODIFIED", key, after)

    def _added(self, key: Key, made: Manifest) -> Manifest:
        meta = made["metadata"]
        meta.setdefault("uid", str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", "2026-11-23T00:00:00Z")
        meta.setdefault("generation", 1)
        return self._happened("ADDED", key, made)

    def _happened(self, kind: str, key: Key, made: Manifest) -> Manifest:
        self.version += 1
        made["metadata"]["resourceVersion"] = str(self.version)
        if kind != "DELETED":
            self.objects[key] = made
        self.history.append(Happened(self.version, kind, key, copy.deepcopy(made)))
        self.changed()
        return copy.deepcopy(made)

    def _key(self, resource: str, made: Manifest) -> Key:
        version, kind, _ = KINDS[resource]
        made.setdefault("apiVersion", version)
        made.setdefault("kind", kind)
        meta = made.setdefault("metadata", {})
        meta.setdefault("namespace", "default")
        return resource, meta["namespace"], meta["name"]


def merged(target: Any, patch: Any) -> Any:
    """Return what a JSON merge patch (RFC 7396) makes of a value."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def _told(key: Key, made: Manifest) -> Manifest:
    apart = {"metadata", "apiVersion", "kind"} | ({"status"} if KINDS[key[0]][2] else set())
    return {name: value for name, value in made.items() if name not in apart}


def _named(resource: str) -> str:
    group, slash, _ = KINDS[resource][0].partition("/")
    return f"{resource}.{group}" if slash else resource


def _not_found(resource: str, name: str) -> Refused:
    group, slash, _ = KINDS[resource][0].partition("/")
    details = {"name": name, "kind": resource} | ({"group": group} if slash else {})
    return Refused(404, "NotFound", f'{_named(resource)} "{name}" not found', details)
