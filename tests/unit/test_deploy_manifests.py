"""The manifests that are shipped: of the form that the controllers take, and wired so that nothing opens by mistake.

The forms are the fields of the custom resources that these manifests use, drawn from their sources (Flagger
`pkg/apis/flagger/v1beta1`, Argo Rollouts `pkg/apis/rollouts/v1alpha1`); they stand for the whole schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.controllers import ARGO_DEFAULTS, FLAGGER_HOOKS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FOLDERS = ("flagger", "argo-rollouts", "argo-cd")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
GROUPS = {
    "Canary": "flagger.app/v1beta1",
    "MetricTemplate": "flagger.app/v1beta1",
    "AnalysisTemplate": "argoproj.io/v1alpha1",
    "Rollout": "argoproj.io/v1alpha1",
    "AppProject": "argoproj.io/v1alpha1",
    "Job": "batch/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ServiceAccount": "v1",
    "Namespace": "v1",
    "Secret": "v1",
    "ConfigMap": "v1",
}
CANARY = {"provider", "targetRef", "progressDeadlineSeconds", "service", "analysis"}
ANALYSIS = {"interval", "threshold", "stepWeight", "maxWeight", "iterations", "metrics", "webhooks"}
WEBHOOK = {"name", "type", "url", "timeout", "metadata", "retries", "muteAlert", "disableTLS"}
METRIC = {
    "name",
    "interval",
    "count",
    "successCondition",
    "failureCondition",
    "failureLimit",
    "inconclusiveLimit",
    "consecutiveErrorLimit",
    "consecutiveSuccessLimit",
    "provider",
}
WEB = {"method", "url", "timeoutSeconds", "headers", "jsonBody", "jsonPath", "insecure", "authentication"}


def _all() -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in FOLDERS:
        for path in sorted((DEPLOY / folder).glob("*.yaml")):
            for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                yield f"{folder}/{path.name}:{one['kind']}/{one['metadata']['name']}", one


MANIFESTS = list(_all())


def of_kind(kind: str) -> list[Any]:
    """Return the manifests of a kind as parameters."""
    return [pytest.param(one, id=name) for name, one in MANIFESTS if one["kind"] == kind]


def seconds(text: str) -> int:
    """Return a duration such as 30s or 10m."""
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


@pytest.mark.parametrize(("name", "manifest"), MANIFESTS)
def test_a_manifest_names_its_kind_as_the_cluster_does(name: str, manifest: dict[str, Any]) -> None:
    assert manifest["apiVersion"] == GROUPS[manifest["kind"]]
    assert NAME.fullmatch(manifest["metadata"]["name"]), name


@pytest.mark.parametrize("canary", of_kind("Canary"))
def test_each_webhook_calls_the_path_of_its_own_type(canary: dict[str, Any]) -> None:
    spec, analysis = canary["spec"], canary["spec"]["analysis"]
    assert set(spec) <= CANARY
    assert set(analysis) <= ANALYSIS
    assert analysis["threshold"] >= 5
    for webhook in analysis["webhooks"]:
        assert set(webhook) <= WEBHOOK
        assert webhook["type"] in FLAGGER_HOOKS
        assert re.fullmatch(
            rf"https://flagger:PASSWORD@[a-z.]+/v1/flagger/GATE/{webhook['type']}", webhook["url"]
        )
        assert "retries" not in webhook
    assert sum(seconds(one["timeout"]) for one in analysis["webhooks"]) < seconds(analysis["interval"])


@pytest.mark.parametrize("canary", of_kind("Canary"))
def test_no_counted_hook_is_in_the_recommended_wiring(canary: dict[str, Any]) -> None:
    types = {one["type"] for one in canary["spec"]["analysis"]["webhooks"]}
    assert not {kind for kind in types if FLAGGER_HOOKS[kind][0]}
    assert "confirm-rollout" in types


@pytest.mark.parametrize("template", of_kind("AnalysisTemplate"))
def test_no_answer_of_ours_or_of_somebody_else_passes_by_mistake(template: dict[str, Any]) -> None:
    assert set(template["spec"]) == {"args", "metrics"}
    for metric in template["spec"]["metrics"]:
        assert set(metric) <= METRIC
        assert metric["failureLimit"] == 0
        # Half an hour of our being away, and more, aborts nothing.
        assert metric["consecutiveErrorLimit"] * ARGO_DEFAULTS["retry"] >= 1800
        if "web" not in metric["provider"]:
            continue
        assert metric["successCondition"] == 'result.verdict == "allow"'
        assert metric["failureCondition"] == 'result.verdict == "deny"'
        assert metric["inconclusiveLimit"] >= metric.get("count", 1)
        web = metric["provider"]["web"]
        assert set(web) <= WEB
        assert web["jsonPath"] == "{$}"
        assert "insecure" not in web
        assert ("jsonBody" in web) == (web["method"] == "POST")


@pytest.mark.parametrize("template", of_kind("AnalysisTemplate"))
def test_every_argument_that_is_used_is_declared(template: dict[str, Any]) -> None:
    used = set(re.findall(r"\{\{args\.([a-z-]+)\}\}", yaml.safe_dump(template, width=1000)))
    assert used <= {one["name"] for one in template["spec"]["args"]}


@pytest.mark.parametrize("rollout", of_kind("Rollout"))
def test_a_rollout_asks_before_each_weight_and_names_templates_that_there_are(
    rollout: dict[str, Any],
) -> None:
    known = {one["metadata"]["name"] for _, one in MANIFESTS if one["kind"] == "AnalysisTemplate"}
    named = re.findall(r"templateName: (\S+)", yaml.safe_dump(rollout))
    assert named
    assert set(named) <= known
    steps = rollout["spec"]["strategy"].get("canary", {}).get("steps", [])
    for index, step in enumerate(steps):
        assert "setWeight" not in step or "analysis" in steps[index - 1]
    assert not steps or "analysis" in steps[-1]


@pytest.mark.parametrize("manifest", of_kind("Rollout"))
def test_images_are_named_by_digest(manifest: dict[str, Any]) -> None:
    for container in manifest["spec"]["template"]["spec"]["containers"]:
        assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"])


@pytest.mark.parametrize("role", of_kind("Role"))
def test_one_object_is_read_by_name_and_nothing_is_changed(role: dict[str, Any]) -> None:
    for rule in role["rules"]:
        assert rule["verbs"] == ["get"]
        assert rule["resourceNames"]
        assert not {"secrets", "pods/exec", "*"} & set(rule["resources"])


@pytest.mark.parametrize("job", of_kind("Job"))
def test_a_hook_ends_by_itself_and_is_tried_once(job: dict[str, Any]) -> None:
    assert job["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "PreSync"
    assert job["spec"]["backoffLimit"] == 0
    assert 0 < job["spec"]["activeDeadlineSeconds"] <= 3600
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
