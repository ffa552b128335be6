"""Flagger at its gate: the status code is the verdict, and what is judged is what the cluster says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from release_passport.v1 import audit_service_pb2, gate_service_pb2, release_service_pb2
from release_passport_server.adapters.sql import tables
from release_passport_server.domain.gate import HeldWorkload
from release_passport_server.services.held import held
from support.calls import Caller
from support.gates import CONFIRMING, OURS, GateCaller, Objects, created, image, registered, settled
from support.requests import identity
from support.server import real_server
from support.shop import digest_of, opened, released

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY_HOOK = [
    *CONFIRMING,
    "pre-rollout",
    "rollout",
    "post-rollout",
    "rollback",
    "event",
    "prometheus",
]


@dataclass
class Shop:
    """A service behind a Flagger gate."""

    admin: Caller
    http: httpx.AsyncClient
    objects: Objects


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    objects = Objects()
    async with real_server(tmp_path_factory.mktemp("flagger"), objects=objects) as running:
        admin = await opened(Caller(running, running.token))
        base = f"http://127.0.0.1:{running.process.http_port}"
        async with httpx.AsyncClient(base_url=base, follow_redirects=False) as http:
            yield Shop(admin, http, objects)


async def gate_of(shop: Shop, version: str, **changes: object) -> GateCaller:
    """Return a gate with every hook, at an object that is about to run a version."""
    gate = await registered(shop.admin, shop.http, **({"hooks": EVERY_HOOK} | changes))
    await settled(shop.admin)
    shop.objects.error = None
    shop.objects.canary(webhooks=gate.webhooks(*CONFIRMING, "rollback"))
    shop.objects.deployment(image(version))
    return gate


async def test_what_waits_is_known_to_those_who_look_at_the_application(shop: Shop) -> None:
    gate = await gate_of(shop, "1.0.9")
    store = shop.admin.server.store

    async def waiting() -> tuple[HeldWorkload, ...]:
        return await store.read("default", lambda reader: held(reader, OURS.service, OURS.environment))

    await created(shop.admin, "1.0.9")
    assert (await gate.flagger("confirm-rollout")).status_code == 403
    ours = HeldWorkload("flagger.app", "Canary", "shop", "checkout", frozenset({digest_of("1.0.9")}))
    assert ours in await waiting()
    await released(shop.admin, "1.0.9")
    assert (await gate.flagger("confirm-rollout")).status_code == 200
    # A rollback hook that does not roll back makes nothing wait.
    assert (await gate.flagger("rollback")).status_code == 403
    assert ours not in await waiting()


async def test_a_start_waits_until_what_is_missing_is_there(shop: Shop) -> None:
    gate = await gate_of(shop, "1.0.1")
    first = await gate.flagger("confirm-rollout")
    assert (first.status_code, first.headers["content-type"].partition(";")[0]) == (403, "text/plain")
    assert "NO_RELEASE_FOR_DIGESTS" in first.text
    await created(shop.admin, "1.0.1")
    second = await gate.flagger("confirm-rollout")
    assert second.status_code == 403
    assert "EVIDENCE_MISSING" in second.text
    assert "/decisions/" in second.text
    await released(shop.admin, "1.0.1")
    third = await gate.flagger("confirm-rollout")
    assert (third.status_code, third.text) == (200, "go on\n"), third.text


async def test_what_begins_at_a_gate_is_an_attempt_of_that_gate(shop: Shop) -> None:
    name = await released(shop.admin, "1.1.0")
    gate = await gate_of(shop, "1.1.0")
    assert (await gate.flagger("confirm-rollout")).status_code == 200
    found = await shop.admin("GetRelease", release_service_pb2.GetReleaseRequest(name=name))
    assert [one.starter for one in found.release.attempts] == [f"gate:{gate.gate_id}"]
    again = await gate.flagger("confirm-rollout")
    assert again.status_code == 200
    found = await shop.admin("GetRelease", release_service_pb2.GetReleaseRequest(name=name))
    assert len(found.release.attempts) == 1


async def test_a_new_revision_in_mid_analysis_is_not_covered_by_the_old_answer(shop: Shop) -> None:
    await released(shop.admin, "1.2.0")
    gate = await gate_of(shop, "1.2.0")
    assert (await gate.flagger("confirm-rollout")).status_code == 200
    shop.objects.canary("Progressing", webhooks=gate.webhooks(*CONFIRMING), status={"canaryWeight": 10})
    assert (await gate.flagger("confirm-traffic-increase")).status_code == 200
    shop.objects.deployment(image("1.2.1"))
    refused = await gate.flagger("confirm-traffic-increase")
    assert (refused.status_code, "NO_RELEASE_FOR_DIGESTS" in refused.text) == (403, True)
    await released(shop.admin, "1.2.1")
    assert (await gate.flagger("confirm-traffic-increase")).status_code == 200
    open_ones = await shop.admin.server.store.read("default", lambda reader: reader.open_attempts())
    assert [one.name.split("/")[-3] for one in open_ones] == ["1.2.1"]


async def test_the_checksum_and_the_phase_of_the_body_mean_nothing(shop: Shop) -> None:
    await released(shop.admin, "1.3.0")
    gate = await gate_of(shop, "1.3.0")
    body = {"name": "checkout", "namespace": "shop", "phase": "Failed", "checksum": "0", "image": "evil"}
    assert (await gate.flagger("confirm-rollout", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (["registry.example/shop/checkout:1.4.0"], "DIGEST_REQUIRED"),
        (["registry.example/shop/checkout@sha256:abc"], "DIGEST_REQUIRED"),
        ([image("1.4.0"), image("other")], "ARTIFACT_NOT_IN_RELEASE"),
        ([image("other")], "NO_RELEASE_FOR_DIGESTS"),
        ([], "WORKLOAD_UNREADABLE"),
    ],
)
async def test_other_images_than_the_releases_wait(shop: Shop, images: list[str], reason: str) -> None:
    await released(shop.admin, "1.4.0")
    gate = await gate_of(shop, "1.4.0")
    shop.objects.deployment(*images)
    answer = await gate.flagger("confirm-rollout")
    assert (answer.status_code, reason in answer.text) == (403, True), answer.text


async def test_an_image_that_is_missing_or_begins_before_the_others_waits_too(shop: Shop) -> None:
    given = identity(OURS)
    given.version = "1.4.2"
    del given.artifacts[:]
    for name in ("app", "worker"):
        given.artifacts.add(name=name, digest=digest_of(f"1.4.2-{name}"))
    await shop.admin("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    gate = await gate_of(shop, "1.4.2-app")
    answer = await gate.flagger("confirm-rollout")
    assert (answer.status_code, "ARTIFACT_NOT_DEPLOYED" in answer.text) == (403, True)
    await released(shop.admin, "1.4.3")
    gate = await gate_of(shop, "1.4.3")
    shop.objects.held["Deployment", "checkout"]["spec"]["template"]["spec"]["initContainers"] = [
        {"name": "first", "image": image("other")}
    ]
    answer = await gate.flagger("confirm-rollout")
    assert (answer.status_code, "ARTIFACT_NOT_IN_RELEASE" in answer.text) == (403, True)


async def test_of_releases_with_the_same_images_the_newest_is_judged(shop: Shop) -> None:
    await released(shop.admin, "1.4.4")
    given = identity(OURS)
    given.version, given.manifest_digest = "1.4.4-again", digest_of("other manifests")
    given.artifacts[0].digest = digest_of("1.4.4")
    made = await shop.admin("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    gate = await gate_of(shop, "1.4.4")
    assert (await gate.flagger("confirm-rollout")).status_code == 200
    request = gate_service_pb2.GetGateHealthRequest(name=gate.gate.name)
    health = await shop.admin("GetGateHealth", request)
    assert {one.release for one in health.answers} == {made.release.name}


async def test_a_refusal_says_codes_and_nothing_that_was_found(shop: Shop) -> None:
    await released(shop.admin, "1.4.5", ("CVE-2026-0001", "critical", ""))
    gate = await gate_of(shop, "1.4.5")
    answer = await gate.flagger("confirm-rollout")
    assert (answer.status_code, "EXPECTATION_FAILED" in answer.text) == (403, True)
    assert not any(word in answer.text for word in ("CVE", "openssl", "trivy", "vulnerab"))


async def test_a_gate_that_trusts_its_network_needs_no_credential_and_says_so(shop: Shop) -> None:
    await released(shop.admin, "1.4.6")
    gate = await gate_of(shop, "1.4.6", trust="GATE_TRUST_NETWORK")
    assert (await gate.flagger("confirm-rollout", auth=None)).status_code == 200
    listed = await shop.admin("ListAuditEntries", audit_service_pb2.ListAuditEntriesRequest(page_size=1000))
    mine = [one for one in listed.entries if one.principal == f"gate:{gate.gate_id}"]
    (told,) = (one for one in mine if one.action == "AnswerGate")
    assert b"NETWORK" in told.body


async def test_a_gate_whose_rollouts_nothing_watches_says_so(shop: Shop) -> None:
    await released(shop.admin, "1.4.7")
    gate = await gate_of(shop, "1.4.7")
    request = gate_service_pb2.GetGateHealthRequest(name=gate.gate.name)
    assert (await gate.flagger("confirm-rollout")).status_code == 200
    assert not list((await shop.admin("GetGateHealth", request)).problems)
    assert (await gate.flagger("confirm-traffic-increase")).status_code == 200
    (problem,) = (await shop.admin("GetGateHealth", request)).problems
    assert "no rule watches" in problem


async def test_injected_containers_are_not_the_releases(shop: Shop) -> None:
    await released(shop.admin, "1.4.1")
    gate = await gate_of(shop, "1.4.1", injected_containers=["c1"])
    shop.objects.deployment(image("1.4.1"), "istio/proxyv2:1.20")
    assert (await gate.flagger("confirm-rollout")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "billing", "namespace": "shop"},
        {"name": "checkout", "namespace": "elsewhere"},
        {"name": 5},
        [],
        "x",
        None,
    ],
    ids=range(6),
)
async def test_a_body_about_something_else_waits(shop: Shop, body: object) -> None:
    await released(shop.admin, "1.5.0")
    gate = await gate_of(shop, "1.5.0")
    assert (await gate.flagger("confirm-rollout", json=body)).status_code == 403 or body is None


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[" * 70_000, b"x" * 70_000], ids=range(4))
async def test_a_body_that_is_none_waits(shop: Shop, raw: bytes) -> None:
    gate = await gate_of(shop, "1.5.0")
    answer = await gate.flagger("confirm-rollout", json=None, content=raw)
    assert answer.status_code == 403


@pytest.mark.parametrize("hook", EVERY_HOOK[:-1])
@pytest.mark.parametrize("trouble", ["unreadable", "wrong password", "no password", "unknown gate"])
async def test_whatever_is_in_doubt_is_refused_and_never_retried(shop: Shop, hook: str, trouble: str) -> None:
    gate = await gate_of(shop, "1.1.0")
    changes: dict[str, object] = {}
    match trouble:
        case "unreadable":
            shop.objects.error = TimeoutError()
        case "wrong password":
            changes = {"auth": ("flagger", gate.credential[:-43] + "A" * 43)}
        case "no password":
            changes = {"auth": None}
        case _:
            gate = GateCaller(gate.http, type(gate.gate)(name="tenants/x/gates/" + "0" * 26), gate.credential)
    assert (await gate.flagger(hook, **changes)).status_code == 403


@pytest.mark.parametrize("hook", EVERY_HOOK[:-1])
@pytest.mark.parametrize("other", EVERY_HOOK[:-1])
async def test_a_webhook_that_calls_the_path_of_another_type_opens_nothing(
    shop: Shop, hook: str, other: str
) -> None:
    if hook == other:
        return
    gate = await gate_of(shop, "1.1.0")
    wrong = [{"name": "x", "type": hook, "url": f"https://rp{gate.url(other)}"}]
    shop.objects.canary("Progressing", webhooks=wrong)
    answer = await gate.flagger(other)
    assert (answer.status_code, "GATE_MISWIRED" in answer.text) == (403, True)


async def test_a_webhook_of_the_wrong_type_is_told_to_people_once(shop: Shop) -> None:
    gate = await gate_of(shop, "1.1.0")
    wrong = [{"name": "x", "type": "rollback", "url": f"https://rp{gate.url('confirm-rollout')}"}]
    shop.objects.canary("Progressing", webhooks=wrong)
    for _ in range(3):
        assert (await gate.flagger("confirm-rollout")).status_code == 403
    c = tables.feed.c
    asked = select(c.body).where(c.type == "gate.miswired", c.subject.contains(gate.gate_id))
    with shop.admin.server.store._engine.connect() as connection:
        assert len(connection.execute(asked).all()) == 1


@pytest.mark.parametrize(
    "path", ["", "/", "/confirm", "/confirm-rollout/", "/Confirm-Rollout", "/rollback/x"]
)
async def test_an_unknown_path_is_not_found_and_nothing_redirects(shop: Shop, path: str) -> None:
    gate = await gate_of(shop, "1.1.0")
    answer = await shop.http.post(f"/v1/flagger/{gate.gate_id}{path}", auth=("flagger", gate.credential))
    assert answer.status_code == 404


async def test_refusals_are_made_from_one_read_and_what_opens_reads_anew(shop: Shop) -> None:
    gate = await gate_of(shop, "9.9.9")
    before = shop.objects.reads
    for _ in range(5):
        await gate.flagger("confirm-rollout")
    # The Canary and its target, once.
    assert shop.objects.reads - before == 2


async def test_the_same_answer_is_recorded_once(shop: Shop) -> None:
    await created(shop.admin, "1.6.0")
    gate = await gate_of(shop, "1.6.0")
    await gate.flagger("confirm-rollout")
    before = await shop.admin.server.store.read("default", lambda reader: reader.revision())
    for _ in range(3):
        assert (await gate.flagger("confirm-rollout")).status_code == 403
    assert await shop.admin.server.store.read("default", lambda reader: reader.revision()) == before


async def test_strangers_use_up_their_own_share_alone(shop: Shop) -> None:
    await released(shop.admin, "1.7.0")
    gate = await gate_of(shop, "1.7.0")
    assert (await gate.flagger("confirm-rollout")).status_code == 200
    before = shop.objects.reads
    for _ in range(30):
        assert (await gate.flagger("confirm-rollout", auth=None)).status_code == 403
    assert shop.objects.reads == before
    assert (await gate.flagger("confirm-rollout")).status_code == 200
