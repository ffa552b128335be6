"""What goes past a gate is recorded, has to be reviewed, and is stopped where the gate was told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from release_passport.v1 import (
    evidence_service_pb2,
    gate_pb2,
    gate_service_pb2,
    override_service_pb2,
    release_service_pb2,
)
from release_passport_server.domain.bypass import BYPASS_KIND
from support.calls import Caller
from support.gates import CONFIRMING, OURS, GateCaller, Objects, created, image, registered, settled
from support.requests import identity
from support.server import real_server
from support.shop import decided, digest_of, opened, released, started

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARGO = {"controller": "GATE_CONTROLLER_ARGO_ROLLOUTS"}


@dataclass
class Shop:
    """A service whose controller can be made to go past its gate."""

    admin: Caller
    http: httpx.AsyncClient
    objects: Objects

    async def gate(self, **changes: Any) -> GateCaller:
        """Return a new gate, with no rollout open."""
        await settled(self.admin)
        return await registered(self.admin, self.http, **changes)

    async def found(self, gate: GateCaller) -> list[dict[str, Any]]:
        """Return what a gate found to be bypassed."""
        request = evidence_service_pb2.ListEvidenceRequest(kind=BYPASS_KIND, source=f"gate:{gate.gate_id}")
        listed = await self.admin("ListEvidence", request)
        return [dict(one.facts.custom.facts) for one in listed.evidence]

    async def unreviewed(self, release: str) -> list[Any]:
        """Return what waits for a review of a release."""
        request = override_service_pb2.ListOverridesRequest(unreviewed=True)
        listed = await self.admin("ListOverrides", request)
        return [one for one in listed.overrides if one.name.startswith(f"{release}/")]


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
async def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    objects, folder = Objects(), tmp_path_factory.mktemp("skips")
    url = f"sqlite:///{folder / 'passport.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("+psycopg", "", 1)
    async with real_server(folder, objects=objects, store={"url": url}) as running:
        admin = await opened(Caller(running, running.token))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.process.http_port}") as http:
            yield Shop(admin, http, objects)


async def test_a_gate_that_stops_skips_stops_nothing_that_was_let_begin(shop: Shop) -> None:
    gate = await shop.gate(**ARGO, on_skip="GATE_ON_SKIP_STOP")
    name = await released(shop.admin, "3.4.0")
    shop.objects.rollout(image("3.4.0"))
    assert (await gate.argo())["verdict"] == "allow"
    shop.objects.rollout(image("3.4.0"), index=3)
    assert "GATE_SKIPPED" not in (await gate.argo("background"))["reasons"]
    # Its rollout ended a moment ago, and the controller still says that it exposes it.
    await settled(shop.admin)
    body = await gate.argo("background")
    assert (body["verdict"] == "deny", "GATE_SKIPPED" in body["reasons"]) == (False, False)
    assert await shop.unreviewed(name) == []


async def test_what_passed_before_is_stopped_under_no_name(shop: Shop) -> None:
    """Nothing gates the way back, and a Git revert may well be a version of its own."""
    gate = await shop.gate(**ARGO, on_skip="GATE_ON_SKIP_STOP")
    name = await released(shop.admin, "3.1.0")
    attempt = await started(shop.admin, await decided(shop.admin, name))
    ended = release_service_pb2.FinishRolloutRequest(attempt=attempt, outcome="ATTEMPT_OUTCOME_PASSED")
    await shop.admin("FinishRollout", ended)
    given = identity(OURS)
    given.version, given.artifacts[0].digest = "3.1.0-again", digest_of("3.1.0")
    again = await shop.admin("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    shop.objects.rollout(image("3.1.0"), index=3)
    body = await gate.argo("background")
    assert (body["verdict"] == "deny", "GATE_SKIPPED" in body["reasons"]) == (False, False)
    assert await shop.found(gate) == await shop.unreviewed(again.release.name) == []


async def test_a_skipped_gate_is_recorded_once_and_shown_with_the_release(shop: Shop) -> None:
    gate = await shop.gate(**ARGO)
    name = await released(shop.admin, "3.2.0")
    shop.objects.rollout(image("3.2.0"), index=3)
    for _ in range(3):
        body = await gate.argo("background")
        # It is told, and the controller goes on.
        assert ("GATE_SKIPPED" in body["reasons"], body["verdict"]) == (True, "allow")
    (found,) = await shop.found(gate)
    assert (found["how"], found["release"], found["object"]) == (
        "NOT_ADMITTED",
        name,
        "eu-1/shop/Rollout/checkout",
    )
    (entry,) = await shop.unreviewed(name)
    passport = (await shop.admin("GetPassport", release_service_pb2.GetPassportRequest(name=name))).passport
    assert [one.name for one in passport.overrides] == [entry.name]
    # The service's next release has to be approved until somebody has looked at it.
    await released(shop.admin, "3.2.9")
    shop.objects.rollout(image("3.2.9"))
    body = await gate.argo()
    assert (body["verdict"], "OVERRIDE_UNREVIEWED" in body["reasons"]) == ("hold", True)


async def test_what_waits_for_a_review_holds_the_next_release_and_not_the_way_back(shop: Shop) -> None:
    given = identity(OURS)
    given.version, given.artifacts[0].digest = "3.1.0-back", digest_of("3.1.0")
    back = await shop.admin("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    held = {}
    for release in (await created(shop.admin, "3.1.2"), back.release.name):
        reasons = {one.reason for one in (await decided(shop.admin, release)).findings}
        held[release.rpartition("/")[2]] = "OVERRIDE_UNREVIEWED" in reasons
    assert held == {"3.1.2": True, "3.1.0-back": False}


async def test_what_waits_for_a_review_is_not_recorded_by_another_gate_as_well(shop: Shop) -> None:
    first, second = await shop.gate(**ARGO), await shop.gate(**ARGO)
    name = await released(shop.admin, "3.2.1")
    shop.objects.rollout(image("3.2.1"), index=3)
    await first.argo("background")
    await second.argo("background")
    assert (len(await shop.found(first)), len(await shop.found(second))) == (1, 0)
    assert len(await shop.unreviewed(name)) == 1


@pytest.mark.parametrize("known", [True, False], ids=["held", "without a release"])
async def test_a_gate_that_stops_skips_has_the_rollout_aborted(shop: Shop, known: bool) -> None:
    gate = await shop.gate(**ARGO, on_skip="GATE_ON_SKIP_STOP")
    version = f"3.3.{int(known)}"
    if known:
        await created(shop.admin, version)
    shop.objects.rollout(image(version), index=3)
    body = await gate.argo("background")
    assert (body["verdict"], "GATE_SKIPPED" in body["reasons"]) == ("deny", True)
    (found,) = await shop.found(gate)
    assert found["how"] == ("NOT_ADMITTED" if known else "NO_RELEASE_FOR_DIGESTS")


async def test_nothing_exposed_or_a_status_about_the_last_template_is_no_skip(shop: Shop) -> None:
    gate = await shop.gate(**ARGO, on_skip="GATE_ON_SKIP_STOP")
    await created(shop.admin, "3.5.0")
    shop.objects.rollout(image("3.5.0"))
    assert (await gate.argo("background"))["verdict"] == "hold"
    other = await shop.gate(**ARGO, on_skip="GATE_ON_SKIP_STOP")
    shop.objects.rollout(image("3.5.0"), index=3, observedGeneration="1")
    shop.objects.held["Rollout", "checkout"]["metadata"]["generation"] = 2
    assert (await other.argo("background"))["verdict"] == "hold"
    assert await shop.found(gate) == await shop.found(other) == []


async def test_a_canary_that_is_promoted_without_having_been_let_begin_is_recorded(shop: Shop) -> None:
    gate = await shop.gate(hooks=[*CONFIRMING, "post-rollout"])
    name = await released(shop.admin, "3.6.0")
    shop.objects.deployment(image("3.6.0"))
    shop.objects.canary("Succeeded", webhooks=gate.webhooks("post-rollout"))
    assert (await gate.flagger("post-rollout")).status_code == 200
    (found,) = await shop.found(gate)
    assert (found["how"], found["object"]) == ("NOT_ADMITTED", "eu-1/shop/Canary/checkout")
    assert len(await shop.unreviewed(name)) == 1


async def test_a_gate_of_a_cluster_that_the_server_does_not_have_is_refused(shop: Shop) -> None:
    wanted = gate_pb2.Gate(
        controller="GATE_CONTROLLER_FLAGGER",
        cluster="us-1",
        namespace="shop",
        object_name="checkout",
        service=OURS.service,
        environment=OURS.environment,
    )
    refused = await shop.admin.refused("CreateGate", gate_service_pb2.CreateGateRequest(gate=wanted))
    assert (refused.reason, refused.fields) == ("INVALID_FIELDS", ("gate.cluster",))
    assert "folder of clusters" in refused.descriptions[0]
