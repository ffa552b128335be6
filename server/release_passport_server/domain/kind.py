"""The kinds of evidence: what each binds to, what tells its items apart, and how long it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

CUSTOM_PREFIX = "custom:"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_CUSTOM_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*/[a-z][a-z0-9._-]*")
_MAX_CUSTOM_NAME = 256


class SubjectType(StrEnum):
    """What a piece of evidence can be about."""

    ARTIFACT = "artifact"
    SOURCE = "source"
    MANIFEST = "manifest"
    RELEASE = "release"
    ATTEMPT = "attempt"
    WORKLOAD = "workload"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of evidence; the comments of evidence.proto say the same for people."""

    name: str
    binds: tuple[SubjectType, ...]
    key_field: str | None
    max_age: timedelta
    # The facts come from a verified envelope; an unverified item satisfies no rule.
    attestation: bool = False
    # At stage WATCH an item satisfies a rule only if its subject is the attempt.
    attempt_bound: bool = False
    # A person or pipeline with the role submitter may not send it: a connector reads it.
    connector_only: bool = False
    # Nobody may send it: the server writes it.
    server_only: bool = False
    # Each item is a run of its own: a later pass does not replace a fail unless the need allows retries.
    run: bool = False
    # The field that says how many data points the facts stand on.
    samples_field: str | None = None


class UnknownKind(ValueError):
    """There is no such kind of evidence."""


_ARTIFACT = (SubjectType.ARTIFACT,)
_RELEASE = (SubjectType.RELEASE,)
_WORKLOAD = (SubjectType.WORKLOAD,)
# Before the rollout these describe the service in its environment, in it the attempt.
_WORKLOAD_OR_ATTEMPT = (SubjectType.WORKLOAD, SubjectType.ATTEMPT)
_ATTEMPT_OR_WORKLOAD = (SubjectType.ATTEMPT, SubjectType.WORKLOAD)
_ANYTHING = tuple(SubjectType)

_QUARTER = timedelta(days=90)
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_LIVE = timedelta(minutes=5)
_INSTANT = timedelta(minutes=2)

_ALL = (
    Kind("provenance", _ARTIFACT, "builder_id", _QUARTER, attestation=True),
    Kind("signature", _ARTIFACT, "signer", _QUARTER, attestation=True),
    Kind("sbom", _ARTIFACT, None, _QUARTER, attestation=True),
    Kind("vulnerability_scan", _ARTIFACT, "scanner", _DAY, run=True),
    Kind("test_result", (SubjectType.ARTIFACT, SubjectType.SOURCE), "suite", _WEEK, run=True),
    Kind("manifest_render", (SubjectType.MANIFEST,), None, _QUARTER),
    Kind(
        "gitops_sync",
        (SubjectType.MANIFEST, SubjectType.SOURCE),
        "application",
        _LIVE,
        connector_only=True,
    ),
    Kind("runtime_health", _WORKLOAD_OR_ATTEMPT, "object", _LIVE, attempt_bound=True, connector_only=True),
    Kind("rollout_status", _ATTEMPT_OR_WORKLOAD, "object", _INSTANT, attempt_bound=True, connector_only=True),
    Kind("analysis_result", _ATTEMPT_OR_WORKLOAD, "template", _INSTANT, attempt_bound=True, run=True),
    Kind(
        "metric_sample", _ATTEMPT_OR_WORKLOAD, "name", _INSTANT, attempt_bound=True, samples_field="samples"
    ),
    Kind("incident_state", _WORKLOAD, "provider", _LIVE, connector_only=True),
    Kind("rollback_readiness", _RELEASE, None, _LIVE, connector_only=True),
    Kind("change_ticket", _RELEASE, None, _DAY, connector_only=True),
    Kind("feature_flag_state", _WORKLOAD, "provider", _LIVE),
    Kind("verification_summary", _ARTIFACT, "verifier_id", _QUARTER, attestation=True),
    Kind("policy_report", _ANYTHING, "engine", _DAY, run=True),
    Kind("rollout_outcome", _ARTIFACT, "environment", _WEEK, server_only=True),
)

# The built-in kinds by name. Custom kinds are not listed: `kind_named` makes them.
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})

# What every custom kind is like, but for its name.
CUSTOM = Kind("custom", _ANYTHING, None, _DAY)


def kind_named(name: str) -> Kind:
    """Return the built-in kind, or the custom kind "custom:domain/name"; raise UnknownKind."""
    kind = KINDS.get(name)
    if kind is not None:
        return kind
    if name.startswith(CUSTOM_PREFIX) and is_custom_name(name.removeprefix(CUSTOM_PREFIX)):
        return Kind(name, CUSTOM.binds, CUSTOM.key_field, CUSTOM.max_age)
    raise UnknownKind(
        f"there is no evidence kind {name!r}: use one of {', '.join(KINDS)}, "
        "or custom:domain/name in lower case"
    )


def is_custom_name(name: str) -> bool:
    """Return whether `name` is a custom kind's own name, "domain/name" as in "acme.example/load-test"."""
    return len(name) <= _MAX_CUSTOM_NAME and _CUSTOM_NAME.fullmatch(name) is not None
