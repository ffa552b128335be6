"""What a Rollout's own word has to be for its digests to count as past a gate."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from release_passport_server.adapters.sql.acts import GATES
from release_passport_server.domain.bypass import is_past_gate
from release_passport_server.domain.gate import Gate, OnSkip
from release_passport_server.domain.gate_table import CHANNELS, Channel
from release_passport_server.domain.live_workload import rollout_of

TEMPLATE = {"spec": {"containers": [{"name": "app", "image": "shop@sha256:" + "a" * 64}]}}


def rollout(generation: int | None, seen: str = "", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"uid": "u"} | ({} if generation is None else {"generation": generation}),
        "spec": {
            "template": TEMPLATE,
            "strategy": {"canary": {"steps": [{"setWeight": 10}, {"analysis": {}}]}},
        },
        "status": {"observedGeneration": seen, "currentPodHash": "new", "stableRS": "old", **status},
    }


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("exposed", [True, False])
@pytest.mark.parametrize("up_to_date", [True, False])
def test_only_what_asks_beside_the_steps_finds_a_gate_behind_it(
    channel: Channel, exposed: bool, up_to_date: bool
) -> None:
    past = is_past_gate(channel, exposed=exposed, up_to_date=up_to_date)
    assert past == (channel is CHANNELS["background"] and exposed and up_to_date)


@pytest.mark.parametrize(
    ("generation", "seen", "up_to_date"), [(3, "3", True), (3, "2", False), (3, "", False), (None, "", True)]
)
def test_a_status_about_an_older_template_says_nothing_of_the_new_one(
    generation: int | None, seen: str, up_to_date: bool
) -> None:
    assert rollout_of(rollout(generation, seen)).up_to_date == up_to_date


@pytest.mark.parametrize(("seen", "up_to_date"), [("7", True), ("6", False)])
def test_the_template_of_a_referenced_workload_is_seen_by_its_own_generation(
    seen: str, up_to_date: bool
) -> None:
    owner = {"metadata": {"generation": 7}, "spec": {"template": TEMPLATE}}
    live = rollout_of(rollout(2, "2", workloadObservedGeneration=seen), owner)
    assert live.up_to_date == up_to_date


def test_a_gate_that_was_made_before_it_could_stop_skips_reports_them() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fields = (
        "gate_id",
        "title",
        "controller",
        "cluster",
        "namespace",
        "object_name",
        "object_uid",
        "service",
    )
    texts = dict.fromkeys((*fields, "environment", "on_rollback", "trust", "creator"), "x")
    gate = Gate(**texts, hooks=(), injected=(), secret_hash=b"", create_time=now, update_time=now)  # type: ignore[arg-type]
    stored = json.loads(GATES.encode(replace(gate, on_skip=OnSkip.STOP)))
    assert GATES.decode(json.dumps(stored).encode()).on_skip == OnSkip.STOP
    del stored["on_skip"]
    assert GATES.decode(json.dumps(stored).encode()).on_skip == OnSkip.REPORT


@pytest.mark.parametrize(
    ("index", "steps", "exposed"),
    [
        (0, [{"analysis": {}}, {"setWeight": 10}], False),
        # The replicas of a weight are made while the index stands at it.
        (1, [{"analysis": {}}, {"setWeight": 10}], True),
        (1, [{"setWeight": 10}, {"setWeight": 0}], False),
        (2, [{"analysis": {}}, {"setWeight": 0}], True),
        (0, [], True),
    ],
)
def test_a_weight_that_is_being_set_is_exposure(index: int, steps: list[Any], exposed: bool) -> None:
    given = rollout(1, "1", currentStepIndex=index)
    given["spec"]["strategy"]["canary"]["steps"] = steps
    assert rollout_of(given).exposed == exposed
    given["status"]["stableRS"] = "new"
    assert not rollout_of(given).exposed
