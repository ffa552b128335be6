"""Whose word counts for what: evidence and releases that come with a question, neighbours' scans, forks' signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from release_passport.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    policy_pb2,
    policy_service_pb2,
    verdict_pb2,
)
from support.calls import Caller, somebody
from support.dsse import Signer, p256_signer, provenance, sign, statement
from support.requests import Names, ahead, identity, item, request_for
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCANNED, BUILT, BARE = Names(service="scanned"), Names(service="built"), Names(service="bare")
HOLD, ALLOW = verdict_pb2.VERDICT_HOLD, verdict_pb2.VERDICT_ALLOW
RULES = {
    "scanned": ("vulnerability_scan", "evidence.vulnerability_scan.critical == 0"),
    "built": ("provenance", "evidence.provenance.source_ref == 'refs/heads/main'"),
}


@dataclass
class Place:
    """A tenant in which one service wants a scan and another one provenance."""

    admin: Caller
    ours: Signer
    neighbours: Signer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(tmp_path_factory.mktemp("trust")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: RealServer) -> Place:
    admin, made = (
        Caller(server, server.token),
        Place(Caller(server, server.token), p256_signer(), p256_signer()),
    )
    signers = {"built": made.ours, "neighbour": made.neighbours}
    await admin("CreateEnvironment", _environment())
    for service in ("scanned", "built", "bare", "neighbour"):
        keys = [signers[service].pem] if service in signers else []
        given = catalog_pb2.Service(service_id=service, signers=keys)
        await admin("CreateService", catalog_service_pb2.CreateServiceRequest(service=given))
    for service, (kind, expect) in RULES.items():
        policy = policy_pb2.Policy(policy_id=f"{service}-rule", spec=_spec(service, kind, expect))
        await admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=policy))
    return made


def _environment() -> catalog_service_pb2.CreateEnvironmentRequest:
    return catalog_service_pb2.CreateEnvironmentRequest(
        environment=catalog_pb2.Environment(environment_id="prod")
    )


def _spec(service: str, kind: str, expect: str) -> policy_pb2.PolicySpec:
    need = policy_pb2.Need(kind=kind, sources=["sa:*"])
    return policy_pb2.PolicySpec(
        mode=verdict_pb2.POLICY_MODE_ENFORCE,
        match=policy_pb2.PolicyMatch(services=[service]),
        rules=[policy_pb2.Rule(rule_id="rule", needs=[need], expect=expect)],
    )


def scan(names: Names, critical: int = 0) -> evidence_pb2.EvidenceInput:
    """Return a scan of the release's image that found nothing."""
    found = evidence_pb2.VulnerabilityScan(scanner="trivy", critical=critical)
    return evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(artifact_digest=names.digest),
        facts=evidence_pb2.EvidenceFacts(vulnerability_scan=found),
        observe_time=ahead(),
    )


def submit(*items: evidence_pb2.EvidenceInput) -> evidence_service_pb2.SubmitEvidenceRequest:
    return evidence_service_pb2.SubmitEvidenceRequest(evidence=items)


async def judged(caller: Caller, names: Names, *items: evidence_pb2.EvidenceInput) -> decision_pb2.Decision:
    """Decide a release that comes with the question."""
    request = decision_service_pb2.EvaluateRequest(identity=identity(names), evidence=items)
    answer = await caller("Evaluate", request)
    decision: decision_pb2.Decision = answer.decision
    return decision


def reasons(decision: decision_pb2.Decision) -> list[str]:
    return [finding.reason for finding in decision.findings if finding.verdict != ALLOW]


async def revision(place: Place) -> int:
    return await place.admin.server.store.read("default", lambda reader: reader.revision())


async def test_an_evaluator_creates_no_release_with_its_question(place: Place) -> None:
    names, evaluator = replace(SCANNED, version="2.0.0"), await somebody(place.admin, "sa:eva", "evaluator")
    request = decision_service_pb2.EvaluateRequest(identity=identity(names))
    before = await revision(place)
    found = await evaluator.refused("Evaluate", request)
    assert (found.code, found.reason) == ("PERMISSION_DENIED", "ACCESS_DENIED")
    assert await revision(place) == before
    await place.admin("CreateRelease", request_for("CreateRelease", names))
    assert (await judged(evaluator, names)).effective_verdict == HOLD


async def test_the_same_version_with_another_image_is_refused(place: Place) -> None:
    names = replace(SCANNED, version="2.0.1")
    await judged(place.admin, names)
    request = decision_service_pb2.EvaluateRequest(identity=identity(names))
    request.identity.artifacts[0].digest = "sha256:" + "c" * 64
    found = await place.admin.refused("Evaluate", request)
    assert (found.code, found.reason) == ("ALREADY_EXISTS", "RELEASE_IDENTITY_CONFLICT")


@pytest.mark.parametrize("role", ["submitter", "ci"])
async def test_what_systems_say_comes_from_connectors_alone(place: Place, role: str) -> None:
    caller = await somebody(place.admin, f"sa:{role}-only", role)
    found = await caller.refused("SubmitEvidence", submit(scan(SCANNED), item(SCANNED)))
    assert (found.code, "runtime_health" in found.message) == ("PERMISSION_DENIED", True)
    for kind in ("gitops_sync", "rollout_status", "incident_state", "rollback_readiness", "change_ticket"):
        given = item(SCANNED)
        getattr(given.facts, kind).SetInParent()
        found = await caller.refused("SubmitEvidence", submit(given))
        assert found.code in {"PERMISSION_DENIED", "INVALID_ARGUMENT"}, (kind, found)
    connector = await somebody(place.admin, f"connector:{role}", "connector")
    assert (await connector.refused("SubmitEvidence", submit(scan(SCANNED)))).code == "PERMISSION_DENIED"


async def test_a_right_to_submit_names_kinds(place: Place) -> None:
    tester = await somebody(place.admin, "sa:tester", "ci", kinds=("test_result",))
    assert (await tester.refused("SubmitEvidence", submit(scan(SCANNED)))).code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("roles", "given"),
    [(("release-manager",), [scan(SCANNED)]), (("ci",), [scan(SCANNED), item(SCANNED)])],
    ids=["no right to submit", "no right to one kind"],
)
async def test_evidence_with_a_question_is_authorised_as_if_submitted(
    place: Place, roles: tuple[str, ...], given: list[evidence_pb2.EvidenceInput]
) -> None:
    caller = await somebody(place.admin, f"sa:inline-{roles[0]}", *roles)
    names = replace(SCANNED, version="2.0.2")
    request = decision_service_pb2.EvaluateRequest(identity=identity(names), evidence=given)
    before = await revision(place)
    assert (await caller.refused("Evaluate", request)).code == "PERMISSION_DENIED"
    assert await revision(place) == before


async def test_a_neighbours_scan_of_our_image_does_not_count_for_us(place: Place) -> None:
    neighbour = await somebody(place.admin, "sa:ci-neighbour", "ci", services=("neighbour",))
    names = replace(SCANNED, version="3.0.0")
    await neighbour("SubmitEvidence", submit(scan(names)))
    held = await judged(place.admin, names)
    assert (held.effective_verdict, reasons(held)) == (HOLD, ["EVIDENCE_UNTRUSTED"])
    ours = await somebody(place.admin, "sa:ci-scanned", "ci", services=("scanned",))
    assert (await judged(ours, names, scan(names))).effective_verdict == ALLOW
    # And it cannot undo what ours found.
    await ours("SubmitEvidence", submit(scan(names, critical=1)))
    await neighbour("SubmitEvidence", submit(scan(names)))
    assert (await judged(place.admin, names)).effective_verdict == verdict_pb2.VERDICT_BLOCK


async def test_a_source_that_no_rule_lists_does_not_count(place: Place) -> None:
    names = replace(SCANNED, version="3.0.1")
    request = decision_service_pb2.EvaluateRequest(identity=identity(names))
    request.identity.artifacts[0].digest = "sha256:" + "d" * 64
    person = scan(names)
    person.subject.artifact_digest = request.identity.artifacts[0].digest
    request.evidence.append(person)
    held = (await place.admin("Evaluate", request)).decision
    assert (held.effective_verdict, reasons(held)) == (HOLD, ["EVIDENCE_UNTRUSTED"])


@pytest.mark.parametrize(
    ("who", "verdict", "words"),
    [
        ("ours", ALLOW, ""),
        ("fork", HOLD, "NO_TRUSTED_KEY"),
        ("neighbour", HOLD, "SIGNER_NOT_TRUSTED"),
        ("nobody", HOLD, ""),
    ],
)
async def test_provenance_counts_with_a_signature_by_a_signer_of_the_service(
    place: Place, who: str, verdict: int, words: str
) -> None:
    digest = "sha256:" + who.encode().hex().ljust(64, "0")
    signer = {"ours": place.ours, "fork": p256_signer(), "neighbour": place.neighbours}.get(who)
    given = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(artifact_digest=digest), observe_time=ahead()
    )
    given.facts.provenance.SetInParent()
    if signer is None:
        given.facts.provenance.builder_id = "https://github.com/actions/runner/github-hosted"
        given.facts.provenance.source_ref = "refs/heads/main"
    else:
        given.bundle = sign(signer, statement(digest, provenance()))
    ci = await somebody(place.admin, f"sa:build-{who}", "ci")
    request = decision_service_pb2.EvaluateRequest(
        identity=identity(replace(BUILT, version=f"1.0.0-{who}")), evidence=[given]
    )
    request.identity.artifacts[0].digest = digest
    decision = (await ci("Evaluate", request)).decision
    assert decision.effective_verdict == verdict, decision
    if verdict == HOLD:
        assert reasons(decision) == ["EVIDENCE_UNVERIFIED"]
        assert words in " ".join(finding.message for finding in decision.findings)


async def test_a_service_without_policies_is_held(place: Place) -> None:
    held = await judged(place.admin, BARE)
    assert (held.effective_verdict, reasons(held)) == (HOLD, ["NO_POLICY_MATCHED", "NOTHING_ENFORCED"])


@pytest.mark.parametrize(
    "change",
    [{"service": "scanned2"}, {"environment": "production"}, {"service": "unknown"}],
    ids=["another service", "another environment", "unknown"],
)
async def test_a_release_of_what_is_not_registered_is_held(place: Place, change: dict[str, str]) -> None:
    held = await judged(place.admin, replace(SCANNED, **change), scan(SCANNED))
    assert held.effective_verdict == HOLD
    assert "UNKNOWN_SERVICE" in reasons(held)


async def test_annotations_do_not_change_a_verdict_or_a_release(place: Place) -> None:
    names = replace(SCANNED, version="4.0.0")
    request = decision_service_pb2.EvaluateRequest(identity=identity(names))
    request.identity.artifacts[0].digest = "sha256:" + "e" * 64
    first = (await place.admin("Evaluate", request)).decision
    request.identity.annotations.update({"hotfix": "true", "tier": "internal"})
    second = (await place.admin("Evaluate", request)).decision
    assert (first.effective_verdict, second.effective_verdict) == (HOLD, HOLD)
    assert first.release == second.release


async def test_the_signers_of_every_service_are_known_however_many_there_are(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_passport_server.services.verify_evidence.SERVICES_AT_ONCE", 1)
    ci, digest = await somebody(place.admin, "sa:ci-last", "ci"), "sha256:" + "f" * 64
    given = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(artifact_digest=digest), observe_time=ahead()
    )
    given.facts.provenance.SetInParent()
    for signer in (place.ours, place.neighbours):
        given.bundle = sign(signer, statement(digest, provenance()))
        stored = (await ci("SubmitEvidence", submit(given))).evidence[0]
        assert stored.verification.state == evidence_pb2.VERIFICATION_STATE_VERIFIED
