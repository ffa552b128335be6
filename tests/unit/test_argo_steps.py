"""A weight of a Rollout without a traffic router is the share of the pods that Argo Rollouts makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from release_passport_server.domain.argo_steps import weights_of
from release_passport_server.domain.live_workload import rollout_of


@pytest.mark.parametrize(
    ("replicas", "surge", "weight", "share"),
    [
        (10, "25%", 10, 10),
        # One of five is 20 %, one of six 17 %: it takes the nearer one.
        (5, "25%", 10, 17),
        (5, "0", 10, 20),
        (5, 0, 10, 20),
        (5, "0%", 10, 20),
        (5, "1", 50, 50),
        (10, "25%", 1, 10),
        (3, "0", 50, 67),
        (3, "25%", 50, 50),
        (2, "0", 99, 50),
        (1, "25%", 10, 50),
        (1, "0", 10, 0),
        (1, "0", 60, 100),
        (None, "25%", 10, 50),
        (0, "25%", 10, 10),
        (7, "25%", 0, 0),
        (7, "25%", 100, 100),
    ],
)
def test_a_weight_is_a_share_of_the_pods(replicas: int | None, surge: Any, weight: int, share: int) -> None:
    assert weights_of({"replicas": replicas}, {"maxSurge": surge}, [weight]) == [share]


def test_with_a_traffic_router_it_is_what_it_says() -> None:
    assert weights_of({"replicas": 1}, {"trafficRouting": {"nginx": {}}}, [10, 50]) == [10, 50]


@pytest.mark.parametrize(("replicas", "keeps"), [(10, True), (5, False)])
def test_a_limit_is_kept_only_where_the_pods_keep_it(replicas: int, keeps: bool) -> None:
    template = {"spec": {"containers": [{"name": "app", "image": "shop@sha256:" + "a" * 64}]}}
    steps = [{"analysis": {}}, {"setWeight": 10}, {"analysis": {}}]
    spec = {"replicas": replicas, "template": template, "strategy": {"canary": {"steps": steps}}}
    live = rollout_of({"metadata": {}, "spec": spec, "status": {"currentStepIndex": 0}})
    assert (live.first_weight, live.next_weight, live.keeps(10)) == (10 if keeps else 17,) * 2 + (keeps,)
