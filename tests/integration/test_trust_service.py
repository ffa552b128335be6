"""What a tenant trusts decides whose signature counts: identities of Sigstore bundles, over the wire, offline."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
    trust_pb2,
    trust_service_pb2,
    verdict_pb2,
)
from release_passport_server.config import SettingsInvalid
from support.calls import Caller, somebody
from support.dsse import p256_signer, sign
from support.minisigstore import Identity, as_bytes
from support.requests import Names, ahead, identity
from support.server import RealServer, real_server
from support.sigstore import MINI, WHO, about

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOLD, ALLOW = verdict_pb2.VERDICT_HOLD, verdict_pb2.VERDICT_ALLOW
VERIFIED, FAILED = evidence_pb2.VERIFICATION_STATE_VERIFIED, evidence_pb2.VERIFICATION_STATE_FAILED
BUILT = Names(service="built")
ROOT = MINI.trusted_root()
SIGNED = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
FORK = Identity.github("mallory/checkout", repository_id="666")


def _local(address: object) -> bool:
    return not isinstance(address, tuple) or str(address[0]) in {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(scope="module", autouse=True)
def _offline() -> Iterator[None]:
    """Refuse every connection of this process that leaves the machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        assert _local(address), f"a connection to {address} was tried"
        real(self, address)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket.socket, "connect", connect)
        yield


@dataclass
class Place:
    """A tenant whose service wants provenance, and who sends it."""

    admin: Caller
    ci: Caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(
        tmp_path_factory.mktemp("trust-service"), verification={"processes": 1}
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: RealServer) -> Place:
    admin = Caller(server, server.token)
    environments = [catalog_pb2.Environment(environment_id=one) for one in ("prod", "staging")]
    for environment in environments:
        await admin(
            "CreateEnvironment", catalog_service_pb2.CreateEnvironmentRequest(environment=environment)
        )
    service = catalog_pb2.Service(service_id="built")
    await admin("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))
    need = policy_pb2.Need(kind="provenance", sources=["sa:*"])
    rule = policy_pb2.Rule(rule_id="built", needs=[need], expect="evidence.provenance.builder_id != ''")
    spec = policy_pb2.PolicySpec(mode=verdict_pb2.POLICY_MODE_ENFORCE, rules=[rule])
    policy = policy_pb2.Policy(policy_id="built", spec=spec)
    await admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=policy))
    return Place(admin, await somebody(admin, "sa:ci", "ci"))


def exact(text: str) -> trust_pb2.ClaimMatch:
    return trust_pb2.ClaimMatch(exact=text)


def rule(who: Identity = WHO, **scope: Any) -> trust_pb2.SignerRule:
    """Return a rule that lets this identity vouch."""
    scoped = trust_pb2.VouchingScope(**scope) if scope else None
    return trust_pb2.SignerRule(name="ci", issuer=exact(who.issuer), identity=exact(who.san), scope=scoped)


def configuration(*rules: trust_pb2.SignerRule, **more: Any) -> trust_pb2.TrustConfiguration:
    """Return a configuration that trusts the instance of these tests."""
    pinned = trust_pb2.TrustedRoot(
        ref="mini.json", sha256=f"sha256:{hashlib.sha256(ROOT).hexdigest()}", content=ROOT
    )
    return trust_pb2.TrustConfiguration(**{"roots": [pinned], "rules": rules, **more})


async def trusted(place: Place, given: trust_pb2.TrustConfiguration) -> trust_pb2.TrustConfiguration:
    """Make a configuration the one that stands."""
    now = (await place.admin("GetTrust", trust_service_pb2.GetTrustRequest())).trust
    given.etag = now.etag
    answer = await place.admin("UpdateTrust", trust_service_pb2.UpdateTrustRequest(trust=given))
    made: trust_pb2.TrustConfiguration = answer.trust
    return made


def digest_of(version: str) -> str:
    return f"sha256:{hashlib.sha256(version.encode()).hexdigest()}"


def provenance(version: str, bundle: bytes) -> evidence_pb2.EvidenceInput:
    """Return provenance of a release's image, as its pipeline sends it."""
    given = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(artifact_digest=digest_of(version)),
        observe_time=ahead(),
        external_id=version,
        bundle=bundle,
    )
    given.facts.provenance.SetInParent()
    return given


def bundle_of(version: str, who: Identity = WHO) -> bytes:
    return as_bytes(MINI.bundle(who, about(digest=digest_of(version)), at=SIGNED))


async def submitted(place: Place, version: str, who: Identity = WHO) -> evidence_pb2.Evidence:
    """Send what this identity signed about a release's image."""
    request = evidence_service_pb2.SubmitEvidenceRequest(
        evidence=[provenance(version, bundle_of(version, who))]
    )
    stored: evidence_pb2.Evidence = (await place.ci("SubmitEvidence", request)).evidence[0]
    return stored


async def judged(place: Place, version: str, environment: str = "prod") -> decision_pb2.Decision:
    """Decide the release that has this image."""
    asked = identity(replace(BUILT, version=version, environment=environment))
    asked.artifacts[0].digest = digest_of(version)
    answer = await place.ci("Evaluate", decision_service_pb2.EvaluateRequest(identity=asked))
    decision: decision_pb2.Decision = answer.decision
    return decision


def reasons(decision: decision_pb2.Decision) -> list[str]:
    return [finding.reason for finding in decision.findings if finding.verdict != ALLOW]


async def test_a_trusted_identity_opens_the_gate_and_is_shown(place: Place) -> None:
    made = await trusted(place, configuration(rule()))
    item = await submitted(place, "1.0.0")
    assert (item.verification.state, item.verification.signer) == (VERIFIED, f"{WHO.issuer} {WHO.san}")
    assert item.verification.method.startswith("sigstore-bundle")
    assert item.verification.trust_revision == made.revision
    assert item.verification.verify_time == item.receive_time
    assert item.facts.provenance.builder_id
    # The log saw the signature before it was sent.
    assert item.observe_time.seconds <= SIGNED.timestamp() + 5
    assert (await judged(place, "1.0.0")).effective_verdict == ALLOW


async def test_the_same_from_a_fork_is_kept_and_shown_and_holds(place: Place) -> None:
    await trusted(place, configuration(rule()))
    item = await submitted(place, "1.1.0", FORK)
    assert (item.verification.state, item.verification.signer) == (FAILED, f"{FORK.issuer} {FORK.san}")
    assert item.verification.reason.startswith("SIGNER_NOT_TRUSTED: IDENTITY_MISMATCH: ")
    decision = await judged(place, "1.1.0")
    assert (decision.effective_verdict, reasons(decision)) == (HOLD, ["EVIDENCE_UNVERIFIED"])


async def test_who_is_trusted_no_longer_counts_no_longer_and_may_count_again(place: Place) -> None:
    await trusted(place, configuration(rule()))
    await submitted(place, "1.2.0")
    assert (await judged(place, "1.2.0")).effective_verdict == ALLOW
    gone = await trusted(place, configuration())
    held = await judged(place, "1.2.0")
    assert (held.effective_verdict, reasons(held)) == (HOLD, ["EVIDENCE_UNVERIFIED"])
    assert "SIGNER_NOT_TRUSTED" in held.findings[0].message
    again = await trusted(place, configuration(rule()))
    assert again.revision == gone.revision + 1
    assert (await judged(place, "1.2.0")).effective_verdict == ALLOW


@pytest.mark.parametrize(
    "changed",
    [
        {"runner_environment": exact("self-hosted")},
        {"ref": exact("refs/heads/release")},
        {"builder": exact("https://builder.example/other")},
    ],
    ids=["runner", "ref", "builder"],
)
async def test_a_rule_of_the_same_name_that_fits_no_more_lets_nobody_vouch(
    place: Place, changed: dict[str, Any]
) -> None:
    version = f"1.3.0-{next(iter(changed))}".replace("_", "-")
    await trusted(place, configuration(rule()))
    await submitted(place, version)
    assert (await judged(place, version)).effective_verdict == ALLOW
    stricter = rule()
    for claim, match in changed.items():
        getattr(stricter, claim).CopyFrom(match)
    await trusted(place, configuration(stricter))
    assert reasons(await judged(place, version)) == ["EVIDENCE_UNVERIFIED"]


async def test_a_root_that_is_taken_away_takes_what_was_verified_by_it_along(place: Place) -> None:
    await trusted(place, configuration(rule()))
    await submitted(place, "1.4.0")
    other = json.dumps(json.loads(ROOT), indent=1).encode()
    pinned = trust_pb2.TrustedRoot(sha256=f"sha256:{hashlib.sha256(other).hexdigest()}", content=other)
    await trusted(place, configuration(rule(), roots=[pinned]))
    assert reasons(await judged(place, "1.4.0")) == ["EVIDENCE_UNVERIFIED"]
    # The same envelope again is verified by the root that stands.
    assert (await submitted(place, "1.4.0")).verification.state == VERIFIED
    assert (await judged(place, "1.4.0")).effective_verdict == ALLOW


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        ({"services": ["built"], "environments": ["prod"], "kinds": ["provenance"]}, ALLOW),
        ({"services": ["other-*"]}, HOLD),
        ({"environments": ["staging"]}, HOLD),
        ({"kinds": ["sbom"]}, HOLD),
    ],
    ids=["its own", "another service", "another environment", "another kind"],
)
async def test_a_signers_word_counts_in_its_scope(place: Place, scope: dict[str, Any], verdict: int) -> None:
    version = f"1.5.0-{'-'.join(scope)}"
    await trusted(place, configuration(rule()))
    await submitted(place, version)
    await trusted(place, configuration(rule(**scope)))
    assert (await judged(place, version)).effective_verdict == verdict


async def test_a_trusted_key_vouches_where_its_scope_says(place: Place) -> None:
    signer = p256_signer()
    key = trust_pb2.TrustedKey(
        name="builder", pem=signer.pem, scope=trust_pb2.VouchingScope(environments=["prod"])
    )
    await trusted(place, configuration(keys=[key]))
    given = provenance("1.6.0", sign(signer, json.dumps(about(digest=digest_of("1.6.0"))).encode()))
    request = evidence_service_pb2.SubmitEvidenceRequest(evidence=[given])
    item = (await place.ci("SubmitEvidence", request)).evidence[0]
    assert (item.verification.state, item.verification.method) == (VERIFIED, "dsse+key")
    assert (await judged(place, "1.6.0")).effective_verdict == ALLOW
    assert reasons(await judged(place, "1.6.0", "staging")) == ["EVIDENCE_UNVERIFIED"]
    await trusted(place, configuration())
    assert reasons(await judged(place, "1.6.0")) == ["EVIDENCE_UNVERIFIED"]


async def test_a_decision_replays_whatever_was_trusted_since(place: Place) -> None:
    made = await trusted(place, configuration(rule()))
    await submitted(place, "1.7.0")
    decision = await judged(place, "1.7.0")
    await trusted(place, configuration())
    request = decision_service_pb2.ExplainDecisionRequest(name=decision.name)
    answer = await place.admin("ExplainDecision", request)
    assert answer.replay == decision_service_pb2.REPLAY_RESULT_SAME
    record = await place.admin.server.store.read(
        "default", lambda reader: reader.find_decision(decision.name)
    )
    assert record is not None
    assert json.loads(record.case_body)["place"]["trustRevision"] == made.revision


async def test_without_a_trusted_root_a_bundle_proves_nothing(place: Place) -> None:
    await trusted(place, configuration(rule(), roots=[]))
    item = await submitted(place, "1.8.0")
    assert (item.verification.state, item.verification.reason[:15]) == (FAILED, "NO_TRUSTED_ROOT")


async def test_revisions_are_kept_and_listed_newest_first(place: Place) -> None:
    first = await trusted(place, configuration(rule()))
    second = await trusted(place, configuration())
    same = await trusted(place, configuration())
    assert (second.revision, same.revision) == (first.revision + 1, second.revision)
    asked = trust_service_pb2.ListTrustRevisionsRequest(page_size=1)
    page = await place.admin("ListTrustRevisions", asked)
    assert [(one.revision, one.author) for one in page.trusts] == [(second.revision, "user:admin")]
    assert [root.content for root in page.trusts[0].roots] == [b""]
    asked.page_token = page.next_page_token
    assert (await place.admin("ListTrustRevisions", asked)).trusts[0].revision == first.revision
    older = trust_service_pb2.GetTrustRequest(revision=first.revision)
    found = (await place.admin("GetTrust", older)).trust
    assert (found.rules[0], found.roots[0].content) == (rule(), ROOT)
    none = trust_service_pb2.GetTrustRequest(revision=10_000)
    assert (await place.admin.refused("GetTrust", none)).code == "NOT_FOUND"


async def test_a_change_needs_the_verb_and_the_etag_that_stands(place: Place) -> None:
    given = configuration(rule(environments=["dev"]))
    request = trust_service_pb2.UpdateTrustRequest(trust=given)
    given.etag = request.trust.etag = "old"
    assert (await place.admin.refused("UpdateTrust", request)).reason == "ETAG_MISMATCH"
    now = (await place.ci("GetTrust", trust_service_pb2.GetTrustRequest())).trust
    request.trust.etag = now.etag
    assert (await place.ci.refused("UpdateTrust", request)).reason == "ACCESS_DENIED"
    request.request_id = "t-1"
    first = (await place.admin("UpdateTrust", request)).trust
    assert (await place.admin("UpdateTrust", request)).trust == first


async def test_an_unusable_key_is_refused_in_its_place(place: Place) -> None:
    now = (await place.admin("GetTrust", trust_service_pb2.GetTrustRequest())).trust
    given = configuration(keys=[trust_pb2.TrustedKey(name="k", pem="not a key")], etag=now.etag)
    found = await place.admin.refused("UpdateTrust", trust_service_pb2.UpdateTrustRequest(trust=given))
    assert found.fields == ("trust.keys[0].pem",)


async def test_a_tenant_that_names_no_root_has_the_servers(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_bytes(ROOT)
    pinned = f"sha256:{hashlib.sha256(ROOT).hexdigest()}"
    given = {"trusted_root": tmp_path / "root.json", "trusted_root_sha256": pinned}
    async with real_server(tmp_path, verification=given) as running:
        admin = Caller(running, running.token)
        place = Place(admin, await somebody(admin, "sa:ci", "ci"))
        await trusted(place, configuration(rule(), roots=[]))
        assert (await submitted(place, "1.0.0")).verification.state == VERIFIED
    (tmp_path / "root.json").write_bytes(ROOT + b" ")
    (tmp_path / "other").mkdir()
    with pytest.raises(SettingsInvalid, match="trusted_root_sha256: the trusted root"):
        async with real_server(tmp_path / "other", verification=given):
            pass
