"""The weights of a Canary are those that Flagger sets, and what takes traffic is known where its status hides it."""

from __future__ import annotations

from typing import Any

import pytest

from release_passport_server.adapters.connectors.kubernetes.canaries import canary_facts
from release_passport_server.domain.flagger_steps import weights_of
from release_passport_server.domain.live_workload import LiveWorkload, canary_of

TARGET = {
    "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "shop@sha256:" + "a" * 64}]}}}
}
BY_TENS: dict[str, Any] = {"stepWeight": 10, "maxWeight": 50}
IN_TURNS: dict[str, Any] = {"iterations": 10}


@pytest.mark.parametrize(
    ("analysis", "weights"),
    [
        (BY_TENS, [10, 20, 30, 40, 50]),
        # It adds a step while it is below the greatest weight: that is passed by up to a step.
        ({"stepWeight": 20, "maxWeight": 50}, [20, 40, 60]),
        ({"stepWeight": 60, "maxWeight": 50}, [60]),
        ({"stepWeight": 30}, [30, 60, 90, 100]),
        ({"stepWeight": 40, "maxWeight": 0}, [40, 80, 100]),
        ({"stepWeight": 60, "maxWeight": 200}, [60, 100]),
        # The cases of its own tests (scheduler_svc_test.go).
        ({"stepWeights": [1, 2, 10, 80]}, [1, 2, 10, 80]),
        ({"stepWeights": [1, 2, 10, 101]}, [1, 2, 10, 100]),
        ({"stepWeights": [10]}, [10]),
        # What is not among the steps goes to everybody.
        ({"stepWeights": [50, 20, 60]}, [50]),
        ({"stepWeight": 50, "stepWeights": [1, 5, 10]}, [50]),
        ({"stepWeight": 4, "stepWeights": [1, 5, 10]}, [4, 8, 12]),
        ({}, []),
        ({"stepWeight": 0, "maxWeight": 50}, []),
        (BY_TENS | IN_TURNS, []),
        (BY_TENS | {"match": [{"headers": {}}]}, [10, 20, 30, 40, 50]),
    ],
)
def test_the_weights_are_those_that_flagger_sets(analysis: dict[str, Any], weights: list[int]) -> None:
    assert weights_of({}, analysis) == weights
    assert weights_of({"provider": "kubernetes"}, analysis) == []


def live(phase: str, analysis: dict[str, Any], provider: str = "nginx", **status: Any) -> LiveWorkload:
    spec = {"provider": provider, "analysis": analysis}
    return canary_of({"metadata": {}, "spec": spec, "status": {"phase": phase, **status}}, TARGET)


def test_a_limit_that_the_last_step_passes_is_not_kept() -> None:
    assert live("Succeeded", {"stepWeight": 20, "maxWeight": 50}).keeps(60)
    assert not live("Succeeded", {"stepWeight": 20, "maxWeight": 50}).keeps(50)
    assert not live("Succeeded", BY_TENS | IN_TURNS).keeps(50)


@pytest.mark.parametrize(
    ("phase", "analysis", "status", "exposed"),
    [
        ("Progressing", BY_TENS, {"canaryWeight": 0}, False),
        ("Progressing", BY_TENS, {"canaryWeight": 10}, True),
        ("WaitingPromotion", BY_TENS, {"canaryWeight": 0}, True),
        ("Progressing", IN_TURNS, {"canaryWeight": 0, "iterations": 10}, False),
        # Behind the last turn all traffic goes to the canary, and the status still says weight 0.
        ("Progressing", IN_TURNS, {"canaryWeight": 0, "iterations": 11}, True),
        ("WaitingPromotion", IN_TURNS, {"canaryWeight": 0, "iterations": 9}, True),
        ("Progressing", IN_TURNS | {"match": [{}]}, {"canaryWeight": 0, "iterations": 1}, True),
        ("Promoting", BY_TENS, {"canaryWeight": 50}, True),
        ("Failed", BY_TENS, {"canaryWeight": 100}, True),
        ("Failed", BY_TENS, {"canaryWeight": 0}, False),
        ("Succeeded", BY_TENS, {"canaryWeight": 0}, False),
    ],
)
def test_what_may_take_traffic_counts_as_exposed(
    phase: str, analysis: dict[str, Any], status: dict[str, Any], exposed: bool
) -> None:
    assert live(phase, analysis, **status).exposed == exposed


def test_a_service_alone_gives_a_canary_no_traffic_before_its_promotion() -> None:
    for phase in ("Progressing", "WaitingPromotion"):
        assert not live(phase, IN_TURNS, "kubernetes", canaryWeight=0, iterations=11).exposed


OLD, NEW = ["sha256:" + "a" * 64], ["sha256:" + "b" * 64]


@pytest.mark.parametrize("phase", ["Initialized", "Succeeded"])
def test_what_the_controller_has_not_looked_at_yet_is_not_said_to_run(phase: str) -> None:
    canary = {"spec": {"analysis": BY_TENS}, "status": {"phase": phase}}
    behind = canary_facts(canary, NEW, OLD)
    assert (behind["weight"], behind["observed_generation_current"]) == (0, False)
    assert "phase" not in behind
    done = canary_facts(canary, NEW, NEW)
    assert (done["weight"], done["phase"]) == (100, "ROLLOUT_PHASE_SUCCEEDED")


@pytest.mark.parametrize(
    ("phase", "analysis", "weight"),
    [
        ("Progressing", BY_TENS, 0),
        ("Progressing", IN_TURNS, None),
        ("Waiting", BY_TENS, 0),
        ("Waiting", IN_TURNS, None),
        ("Failed", IN_TURNS, 0),
        ("WaitingPromotion", {"stepWeight": 20, "maxWeight": 50}, 60),
        ("WaitingPromotion", IN_TURNS | BY_TENS, None),
    ],
)
def test_evidence_of_a_weight_is_left_out_where_the_status_hides_it(
    phase: str, analysis: dict[str, Any], weight: int | None
) -> None:
    status = {"phase": phase, "canaryWeight": 0, "iterations": 3}
    facts = canary_facts({"spec": {"analysis": analysis}, "status": status}, None, None)
    assert facts.get("weight") == weight
