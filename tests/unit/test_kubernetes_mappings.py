"""What objects of real clusters say: the traps of each controller, and nothing made of what is not there."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from release_passport_server.adapters.connectors import argo_application
from release_passport_server.adapters.connectors.kubernetes import canaries, flux, rollouts, runs, workloads
from release_passport_server.adapters.connectors.kubernetes.manifests import template_digests, word
from release_passport_server.domain.access import Scope
from release_passport_server.domain.connector import Observation
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.ports.connector import Collected
from release_passport_server.wire.collected import ObservedEvidence
from support.data import sample

NOW = datetime(2027, 1, 1, tzinfo=UTC)
IMAGES = ["sha256:" + "a" * 64]
Facts = Mapping[str, Any]


def manifests(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file as an API server would give them: times are texts."""
    for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        if isinstance(one, dict):
            yield json.loads(json.dumps(one, default=lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")))


def only(relative: str) -> dict[str, Any]:
    return next(iter(manifests(sample(f"samples/{relative}"))))


def rollout(manifest: Facts) -> Facts:
    return rollouts.rollout_facts(manifest, None, None)


def canary(manifest: Facts) -> Facts:
    return canaries.canary_facts(manifest, None, None)


def run(manifest: Facts) -> Facts:
    return runs.analysis_facts(manifest, "web")


def application(manifest: Facts) -> Facts:
    found = argo_application.applied(manifest, NOW)
    return found.observations[0].facts if found.observations else {}


def kustomization(manifest: Facts) -> Facts:
    attempted, done = (word(manifest, "status", f"last{one}Revision") for one in ("Attempted", "Applied"))
    return flux.flux_facts(manifest, attempted, done)


def pods(manifest: Facts) -> Facts:
    return workloads.pod_facts([manifest], datetime(2018, 1, 1, tzinfo=UTC))


READERS: dict[str, tuple[str, Callable[[Facts], Facts]]] = {
    "Rollout": ("rollout_status", rollout),
    "Canary": ("rollout_status", canary),
    "AnalysisRun": ("analysis_result", run),
    "Application": ("gitops_sync", application),
    "Kustomization": ("gitops_sync", kustomization),
    "Deployment": ("rollout_status", workloads.deployment_facts),
    "Pod": ("runtime_health", pods),
}
# None stands for what must not be said.
CASES: list[tuple[str, Facts]] = [
    (
        "rollouts/rollout_canary_status_weights_trafficrouting.yaml",
        {"weight": 20, "step": 0, "step_count": 8, "observed_generation_current": True, "paused": False},
    ),
    (
        "rollouts/rollout_canary_paused_inconclusive_analysisrun.yaml",
        {"paused": True, "pause_reason": "InconclusiveAnalysisRun", "weight": 25, "step": 1},
    ),
    (
        "rollouts/rollout_workloadref_healthy_generation_matches.yaml",
        {"phase": "ROLLOUT_PHASE_SUCCEEDED", "weight": 100, "observed_generation_current": True},
    ),
    (
        "rollouts/rollout_workloadref_stale_status_new_workload_generation.yaml",
        {"observed_generation_current": False, "reported_phase": "Healthy", "phase": None, "weight": None},
    ),
    (
        "rollouts/rollout_legacy_hash_observedgeneration.yaml",
        {"observed_generation_current": None, "phase": None, "weight": None},
    ),
    ("rollouts/rollout_bluegreen_paused_before_promotion.yaml", {"weight": None, "paused": True}),
    ("rollouts/rollout_bluegreen_aborted.yaml", {"aborted": True, "weight": 0, "phase": None}),
    (
        "rollouts/rollout_without_status.yaml",
        {"phase": None, "weight": None, "paused": None, "aborted": None},
    ),
    (
        "derived/flagger_canary_waitingpromotion_weight_zero_in_status_but_traffic_at_max.yaml",
        {"phase": "ROLLOUT_PHASE_WAITING_PROMOTION", "weight": 50, "paused": True},
    ),
    (
        "derived/flagger_canary_failed_promotion_traffic_on_canary.yaml",
        {"phase": "ROLLOUT_PHASE_FAILED", "weight": 100},
    ),
    (
        "derived/flagger_canary_progressing_with_failed_checks.yaml",
        {"phase": "ROLLOUT_PHASE_PROGRESSING", "weight": 30, "failed_checks": "3"},
    ),
    (
        "derived/flagger_canary_waiting_confirm_rollout_denied.yaml",
        {"phase": "ROLLOUT_PHASE_WAITING", "weight": 0, "pause_reason": "Waiting"},
    ),
    ("flagger/canary_status_promoting.yaml", {"phase": "ROLLOUT_PHASE_PROMOTING", "weight": None}),
    ("flagger/canary_status_succeeded.yaml", {"phase": "ROLLOUT_PHASE_SUCCEEDED", "weight": 100}),
    ("flagger/e2e_istio_canary_weighted.yaml", {"phase": None, "weight": None, "failed_checks": None}),
    (
        "analysisruns/analysisrun_failed_web_of_aborted_rollout.yaml",
        {"phase": "ANALYSIS_PHASE_FAILED", "terminated": False, "revision_hash": "db976bc44"},
    ),
    ("analysisruns/analysisrun_without_status.yaml", {"phase": None, "metrics": None, "complete": None}),
    (
        "derived/argocd_application_outofsync_operation_failed_but_health_healthy.yaml",
        {
            "sync_state": "SYNC_STATE_OUT_OF_SYNC",
            "health": "HEALTH_STATE_HEALTHY",
            "operation_state": "OPERATION_STATE_FAILED",
        },
    ),
    (
        "derived/argocd_application_unknown_comparisonerror.yaml",
        {"sync_state": "SYNC_STATE_UNKNOWN", "operation_state": None, "operation_revision": None},
    ),
    (
        "derived/argocd_application_synced_suspended_rollout_paused.yaml",
        {"sync_state": "SYNC_STATE_SYNCED", "health": "HEALTH_STATE_SUSPENDED"},
    ),
    # What is not one commit binds to no release.
    ("argocd/application_synced_healthy_full_with_history_and_operationstate.yaml", {"sync_state": None}),
    (
        "derived/flux_kustomization_healthcheckfailed_last_applied_behind.yaml",
        {
            "sync_state": "SYNC_STATE_OUT_OF_SYNC",
            "health": "HEALTH_STATE_DEGRADED",
            "operation_state": "OPERATION_STATE_FAILED",
        },
    ),
    (
        "derived/flux_kustomization_stale_observedgeneration.yaml",
        {"observed_generation_current": False, "sync_state": None, "health": None, "suspended": True},
    ),
    ("kubernetes/deployment_degraded_progressdeadlineexceeded.yaml", {"phase": "ROLLOUT_PHASE_DEGRADED"}),
    ("kubernetes/deployment_live_with_revision_annotation.yaml", {"phase": "ROLLOUT_PHASE_SUCCEEDED"}),
    ("kubernetes/deployment_paused.yaml", {"phase": "ROLLOUT_PHASE_PAUSED", "paused": True}),
    (
        "kubernetes/pod_crashloop.yaml",
        {"crash_looping_containers": "1", "image_pull_failures": "0", "complete": True},
    ),
    (
        "kubernetes/pod_imagepullbackoff.yaml",
        {"image_pull_failures": "1", "image_digests": None, "complete": None},
    ),
]


@pytest.mark.parametrize(("relative", "expected"), CASES, ids=[one[0] for one in CASES])
def test_an_object_says_just_this(relative: str, expected: Facts) -> None:
    manifest = only(relative)
    facts = READERS[manifest["kind"]][1](manifest)
    assert {name: facts.get(name) for name in expected} == expected


def every() -> Iterator[tuple[str, dict[str, Any]]]:
    folder = sample("samples")
    for path in sorted(folder.rglob("*.yaml")):
        for manifest in manifests(path):
            if manifest.get("kind") in READERS:
                yield str(path.relative_to(folder)), manifest


def stored(kind: str, facts: Facts) -> object:
    """Return the facts as they would be stored."""
    keyed = {"object": "eu-1/shop/X/y"} if kind in {"rollout_status", "runtime_health"} else {}
    subject = Subject(SubjectType.WORKLOAD, "checkout/prod")
    if kind == "gitops_sync":
        subject = Subject(SubjectType.SOURCE, "a" * 40)
    found = Observation(kind, keyed | dict(facts), NOW)
    return ObservedEvidence().item(found, subject, "connector:X", Scope()).facts


def test_what_every_real_object_says_can_be_stored() -> None:
    seen = 0
    for relative, manifest in every():
        kind, reader = READERS[manifest["kind"]]
        facts = reader(manifest)
        if facts:
            assert stored(kind, facts), relative
            seen += 1
    assert seen > 60


WRONG: tuple[object, ...] = (None, "text", 7, -1, True, [], ["x"], {"a": 1}, [None], 1.5, "9" * 400)


def broken(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the object with each field of its spec and status in turn of another type, or gone."""
    for top in ("spec", "status", "metadata"):
        for name in list(manifest.get(top) or {}):
            for value in WRONG:
                changed = copy.deepcopy(manifest)
                changed[top][name] = value
                yield changed
        for value in WRONG:
            yield {**manifest, top: value}


@pytest.mark.parametrize(
    "relative",
    [
        "rollouts/rollout_canary_status_weights_trafficrouting.yaml",
        "derived/flagger_canary_progressing_with_failed_checks.yaml",
        "analysisruns/analysisrun_failed_web_of_aborted_rollout.yaml",
        "derived/argocd_application_synced_degraded.yaml",
        "derived/flux_kustomization_healthcheckfailed_last_applied_behind.yaml",
        "kubernetes/deployment_live_with_revision_annotation.yaml",
        "kubernetes/pod_crashloop.yaml",
    ],
)
def test_a_field_of_another_type_is_not_known_and_breaks_nothing(relative: str) -> None:
    manifest = only(relative)
    kind, reader = READERS[manifest["kind"]]
    for changed in broken(manifest):
        facts = reader(changed)
        if facts:
            stored(kind, facts)


@pytest.mark.parametrize("message", ["Run Terminated", "run terminated"])
def test_a_run_that_was_ended_early_says_so_though_it_reports_successful(message: str) -> None:
    manifest = only("analysisruns/analysisrun_successful.yaml")
    manifest["status"]["message"] = message
    assert run(manifest)["terminated"] is True
    manifest["status"]["message"] = ""
    manifest["spec"]["terminate"] = True
    facts = run(manifest)
    assert (facts["terminated"], facts["phase"]) == (True, "ANALYSIS_PHASE_SUCCESSFUL")


def test_what_was_compared_long_ago_is_as_old_as_that() -> None:
    manifest = only("derived/argocd_application_synced_degraded.yaml")
    found: Collected = argo_application.applied(manifest, NOW)
    assert found.observations[0].observe_time == datetime(2026, 8, 20, 10, 16, tzinfo=UTC)
    ahead = argo_application.applied(manifest, datetime(2026, 8, 20, 10, 0, tzinfo=UTC))
    assert ahead.observations[0].observe_time == datetime(2026, 8, 20, 10, 0, tzinfo=UTC)
    del manifest["status"]["reconciledAt"]
    assert argo_application.applied(manifest, NOW).observations == ()


@pytest.mark.parametrize(
    ("revision", "bound"),
    [
        ("main@sha1:" + "b" * 40, Subject(SubjectType.SOURCE, "b" * 40)),
        ("main/" + "b" * 40, Subject(SubjectType.SOURCE, "b" * 40)),
        ("latest@sha256:" + "c" * 64, Subject(SubjectType.MANIFEST, "sha256:" + "c" * 64)),
        ("6.5.4", None),
        ("", None),
        ("main@sha1:short", None),
    ],
)
def test_a_revision_of_flux_binds_to_a_commit_or_a_digest(revision: str, bound: Subject | None) -> None:
    assert flux.bound(revision) == bound


def test_images_without_a_digest_are_not_known() -> None:
    pinned = {"spec": {"containers": [{"image": "shop@" + IMAGES[0]}, {"image": "side@" + IMAGES[0]}]}}
    assert template_digests(pinned) == IMAGES
    pinned["spec"]["containers"].append({"image": "side:1.0"})
    assert template_digests(pinned) is None
    assert template_digests({}) is None


def test_restarts_are_those_of_the_last_ten_minutes() -> None:
    def status(minutes: float, reason: str) -> dict[str, Any]:
        ended = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        last = {"terminated": {"finishedAt": ended, "reason": reason}}
        return {"restartCount": 3, "lastState": last, "imageID": "shop@" + IMAGES[0]}

    pod = {
        "status": {"containerStatuses": [status(5, "OOMKilled"), status(9, "Error"), status(11, "OOMKilled")]}
    }
    facts = workloads.pod_facts([pod], NOW)
    assert (facts["restarts_10m"], facts["out_of_memory_kills_10m"]) == ("2", "1")
