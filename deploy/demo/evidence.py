"""What the pipeline and the connectors know of a release, as files for `passport evidence submit -f`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Item = dict[str, object]
PLACE = {"service": "checkout", "environment": "prod"}


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the demo's service, with digests made out of its number."""

    number: str

    @property
    def commit(self) -> str:
        """Return the commit that it was built from."""
        return hashlib.sha1(f"commit {self.number}".encode(), usedforsecurity=False).hexdigest()

    @property
    def image(self) -> str:
        """Return the digest of its one image."""
        return _sha256(f"image {self.number}")

    @property
    def manifests(self) -> str:
        """Return the digest of its rendered manifests."""
        return _sha256(f"manifests {self.number}")

    @property
    def release(self) -> str:
        """Return the release as the CLI takes it."""
        return f"checkout/prod/{self.number}"

    @property
    def name(self) -> str:
        """Return the release's resource name."""
        return f"tenants/default/services/checkout/environments/prod/releases/{self.number}"


def from_pipeline(version: Version) -> Mapping[str, Item]:
    """Return what CI says about a build, but for its signed provenance."""
    suites = {
        f"{suite} tests": _item(
            {"source_revision": version.commit},
            {"test_result": {"suite": suite, "passed": 412, "failed": 0, "errored": 0, "skipped": 3}},
        )
        for suite in ("unit", "e2e")
    }
    scan = {"scanner": "trivy", "critical": 0, "known_exploited": 0, "fixable_high": 0, "high": 2}
    render = {"tool": "helm", "source_revision": version.commit, "object_count": 14, "unpinned_images": 0}
    return {
        **suites,
        "vulnerability scan": _item({"artifact_digest": version.image}, {"vulnerability_scan": scan}),
        "rendered manifests": _item({"manifest_digest": version.manifests}, {"manifest_render": render}),
    }


def from_connectors(version: Version, back_to: Version | None) -> Mapping[str, Item]:
    """Return what the cluster, the incident tool and the ticket system say before the rollout."""
    sync = {
        "application": "checkout-prod",
        "sync_state": "SYNC_STATE_SYNCED",
        "operation_state": "OPERATION_STATE_SUCCEEDED",
        "health": "HEALTH_STATE_HEALTHY",
        "observed_generation_current": True,
        "suspended": False,
    }
    rollout = {
        "object": "eu-1/shop/Rollout/checkout",
        "controller": "argo-rollouts",
        "phase": "ROLLOUT_PHASE_SUCCEEDED",
        "step_count": 5,
        "aborted": False,
    }
    ticket = {"system": "jira", "id": "CHG-4711", "state": "CHANGE_TICKET_STATE_APPROVED", "approved": True}
    items = {
        "GitOps sync": _item(
            {"source_revision": version.commit}, {"gitops_sync": sync}, age=timedelta(seconds=40)
        ),
        "runtime health": _item({"workload": PLACE}, {"runtime_health": _healthy()}),
        "rollout controller": _item({"workload": PLACE}, {"rollout_status": rollout}),
        "incidents": _item(
            {"workload": PLACE},
            {"incident_state": {"provider": "pagerduty", "sev1": 0, "sev2": 0, "unclassified": 0}},
        ),
        "change ticket": _item({"release": version.name}, {"change_ticket": ticket}),
    }
    if back_to is not None:
        readiness = {
            "target_release": back_to.name,
            "target_digest": back_to.image,
            "ready": True,
            "pullable": True,
            "verified": True,
            "migration_reversible": True,
            "complete": True,
        }
        items["way back"] = _item({"release": version.name}, {"rollback_readiness": readiness})
    return items


def from_canary(attempt: str, error_rate: float) -> list[Item]:
    """Return what the connectors see of the new version itself while it takes a share of the traffic."""
    subject = {"attempt": attempt}
    metrics = {"error_rate": (error_rate, 0.004), "latency_p99": (0.21, 0.2)}
    samples = [
        _item(subject, {"metric_sample": {"name": n, "value": v, "baseline_value": b, "samples": 600}})
        for n, (v, b) in metrics.items()
    ]
    rollout = {
        "object": "eu-1/shop/Rollout/checkout",
        "phase": "ROLLOUT_PHASE_PROGRESSING",
        "weight": 10,
        "aborted": False,
    }
    analysis = {
        "template": "success-rate",
        "run": "checkout-7d9f-2",
        "phase": "ANALYSIS_PHASE_RUNNING",
        "dry_run": False,
        "terminated": False,
    }
    return [
        *samples,
        _item(subject, {"rollout_status": rollout}),
        _item(subject, {"analysis_result": analysis}),
        _item(subject, {"runtime_health": _healthy()}),
    ]


def _healthy() -> Item:
    return {
        "object": "eu-1/shop/Rollout/checkout",
        "desired_replicas": 6,
        "ready_replicas": 6,
        "restarts_10m": 0,
        "crash_looping_containers": 0,
        "image_pull_failures": 0,
        "out_of_memory_kills_10m": 0,
        "observed_generation_current": True,
    }


def _item(subject: Mapping[str, object], facts: Item, *, age: timedelta = timedelta(0)) -> Item:
    return {"subject": subject, "facts": facts, "observe_time": (datetime.now(UTC) - age).isoformat()}


def _sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
