"""Attestations of a release's images are collected from their registry: proven like what is submitted, or told."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from release_passport.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    decision_service_pb2,
    evidence_pb2,
    policy_pb2,
    policy_service_pb2,
    release_pb2,
    release_service_pb2,
    trust_pb2,
    trust_service_pb2,
    verdict_pb2,
)
from release_passport.v1 import evidence_service_pb2 as pb
from support.calls import Caller, somebody
from support.dsse import p256_signer, sign, statement
from support.minisigstore import Identity, as_bytes
from support.oci_registry import (
    INDEX,
    MANIFEST,
    Pushed,
    debian_registry,
    descriptor,
    digest_of,
    htpasswd,
    index,
    pushing,
)
from support.server import RealServer, real_server
from support.sigstore import MINI, SLSA, WHO, about

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOW, HOLD = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_HOLD
VERIFIED = evidence_pb2.VERIFICATION_STATE_VERIFIED
SIGNED = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
FORK = Identity.github("mallory/checkout", repository_id="666")
KEY = p256_signer()
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@dataclass
class Place:
    """A service that wants provenance from the registry, the registry, and who collects."""

    admin: Caller
    ci: Caller
    to: Pushed
    host: str

    async def release(self, version: str, image: bytes, name: str = "") -> str:
        """Register a version of the service that consists of one image."""
        artifact = release_pb2.Artifact(name=name or f"{self.host}/team/app", digest=digest_of(image))
        identity = release_pb2.ReleaseIdentity(
            service="shop", environment="prod", version=version, artifacts=[artifact]
        )
        request = release_service_pb2.CreateReleaseRequest(identity=identity)
        made: str = (await self.admin("CreateRelease", request)).release.name
        return made

    async def collect(self, release: str, *images: str) -> pb.CollectAttestationsResponse:
        request = pb.CollectAttestationsRequest(release=release, images=images)
        found: pb.CollectAttestationsResponse = await self.ci("CollectAttestations", request)
        return found

    async def verdict(self, release: str) -> tuple[int, list[str]]:
        """Return what is decided now, and why."""
        answer = await self.ci("Evaluate", decision_service_pb2.EvaluateRequest(release=release))
        return answer.decision.effective_verdict, [one.reason for one in answer.decision.findings]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with debian_registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(registry: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(
        tmp_path_factory.mktemp("collecting"),
        verification={"processes": 1},
        registries={"hosts": f"{registry}, registry.example, http://127.0.0.1:9"},
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: RealServer, registry: str) -> AsyncIterator[Place]:
    admin, host = Caller(server, server.token), urlsplit(registry).netloc
    environment = catalog_pb2.Environment(environment_id="prod")
    await admin("CreateEnvironment", catalog_service_pb2.CreateEnvironmentRequest(environment=environment))
    service = catalog_pb2.Service(service_id="shop")
    await admin("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))
    need = policy_pb2.Need(kind="provenance", sources=[f"registry:{host}"], verified=True)
    rule = policy_pb2.Rule(rule_id="built", needs=[need], expect="evidence.provenance.builder_id != ''")
    spec = policy_pb2.PolicySpec(mode=verdict_pb2.POLICY_MODE_ENFORCE, rules=[rule])
    policy = policy_pb2.Policy(policy_id="built", spec=spec)
    await admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=policy))
    content = MINI.trusted_root()
    pinned = trust_pb2.TrustedRoot(
        ref="mini.json", sha256=f"sha256:{hashlib.sha256(content).hexdigest()}", content=content
    )
    signer = trust_pb2.SignerRule(name="ci", issuer=_exact(WHO.issuer), identity=_exact(WHO.san))
    key = trust_pb2.TrustedKey(name="scanner", pem=KEY.pem)
    now = (await admin("GetTrust", trust_service_pb2.GetTrustRequest())).trust
    trust = trust_pb2.TrustConfiguration(roots=[pinned], rules=[signer], keys=[key], etag=now.etag)
    await admin("UpdateTrust", trust_service_pb2.UpdateTrustRequest(trust=trust))
    async with pushing(registry) as to:
        yield Place(admin, await somebody(admin, "sa:ci", "ci"), to, host)


def _exact(text: str) -> trust_pb2.ClaimMatch:
    return trust_pb2.ClaimMatch(exact=text)


def provenance(image: bytes, who: Identity = WHO) -> bytes:
    return as_bytes(MINI.bundle(who, about(digest=digest_of(image)), at=SIGNED))


async def attach(to: Pushed, subject: bytes, *bundles: bytes) -> None:
    """Attach bundles as cosign 3 does where the registry has no referrers API."""
    made = [await to.bundle(bundle, subject) for bundle in bundles]
    entries = [descriptor(one, MANIFEST, artifactType=BUNDLE) for one in made]
    await to.manifest(index(*entries), digest_of(subject).replace(":", "-"), INDEX)


async def test_provenance_in_the_registry_opens_the_gate(place: Place) -> None:
    image = await place.to.image("good")
    release = await place.release("1.0.0", image)
    assert await place.verdict(release) == (HOLD, ["EVIDENCE_MISSING"])
    await attach(place.to, image, provenance(image))
    found = await place.collect(release)
    (one,) = found.images
    assert (one.image, one.complete) == (f"{place.host}/team/app@{digest_of(image)}", True)
    (attestation,), (item,) = one.attestations, found.evidence
    assert (attestation.kind, attestation.predicate_type) == ("provenance", SLSA)
    assert (attestation.evidence, attestation.place) == (item.name, "REFERRERS_TAG")
    assert (item.source, item.external_id) == (f"registry:{place.host}", attestation.digest)
    assert (item.verification.state, item.verification.signer) == (VERIFIED, f"{WHO.issuer} {WHO.san}")
    assert item.observe_time.seconds <= SIGNED.timestamp() + 5
    assert (await place.verdict(release))[0] == ALLOW


async def test_who_collects_again_finds_the_same_item(place: Place) -> None:
    image = await place.to.image("again")
    release = await place.release("1.1.0", image)
    await attach(place.to, image, provenance(image))
    first, second = await place.collect(release), await place.collect(release)
    assert [item.name for item in second.evidence] == [item.name for item in first.evidence]
    listed = await place.ci("ListEvidence", pb.ListEvidenceRequest(release=release))
    assert len(listed.evidence) == 1


async def test_a_later_forgery_is_told_and_does_not_stand_before_what_is_proven(place: Place) -> None:
    image = await place.to.image("forged")
    release = await place.release("1.2.0", image)
    await attach(place.to, image, provenance(image))
    await place.collect(release)
    other = await place.to.image("another")
    broken = json.loads(provenance(image))
    broken["dsseEnvelope"]["signatures"][0]["sig"] = "AAAA"
    await attach(
        place.to,
        image,
        provenance(image, FORK),
        provenance(other),
        json.dumps(broken).encode(),
        b"no JSON",
    )
    found = await place.collect(release)
    reasons = [one.reason for one in found.images[0].attestations]
    assert reasons == ["SIGNER_NOT_TRUSTED", "SUBJECT_MISMATCH", "SIGNATURE_INVALID", "BUNDLE_MALFORMED"]
    assert all(one.message for one in found.images[0].attestations)
    assert (list(found.evidence), found.revision) == ([], 0)
    assert (await place.verdict(release))[0] == ALLOW


async def test_cosign_2_envelopes_are_proven_by_a_key_if_they_say_when_they_were_made(place: Place) -> None:
    image = await place.to.image("keyed")
    release = await place.release("1.3.0", image)
    bom: dict[str, Any] = {"specVersion": "1.6", "components": []}
    dated = {**bom, "metadata": {"timestamp": SIGNED.isoformat()}}
    kind = {"predicate_type": "https://cyclonedx.org/bom"}
    envelopes = [sign(KEY, statement(digest_of(image), one, **kind)) for one in (dated, bom)]
    unknown = sign(KEY, statement(digest_of(image), {}, predicate_type="https://acme.example/x"))
    await place.to.attach_by_tag({one: {} for one in (*envelopes, unknown)}, image)
    found = await place.collect(release)
    told = [(one.kind, one.reason) for one in found.images[0].attestations]
    assert told == [("sbom", ""), ("sbom", "TIME_UNKNOWN"), ("", "PREDICATE_UNSUPPORTED")]
    (item,) = found.evidence
    assert (item.facts.sbom.format, item.observe_time.seconds) == ("cyclonedx-1.6", SIGNED.timestamp())


async def test_whose_grant_does_not_cover_a_kind_collects_none_of_it(place: Place) -> None:
    image = await place.to.image("granted")
    release = await place.release("1.4.0", image)
    await attach(place.to, image, provenance(image))
    scanner = await somebody(place.admin, "sa:scanner", "submitter", kinds=("sbom",))
    request = pb.CollectAttestationsRequest(release=release)
    found = await scanner("CollectAttestations", request)
    assert [one.reason for one in found.images[0].attestations] == ["ACCESS_DENIED"]
    assert not found.evidence
    reader = await somebody(place.admin, "user:reader", "viewer")
    assert (await reader.refused("CollectAttestations", request)).code == "PERMISSION_DENIED"


async def test_no_other_registry_and_no_other_image_is_asked_for(place: Place) -> None:
    image = await place.to.image("mine")
    release = await place.release("1.5.0", image, name="169.254.169.254/latest")
    refused = await place.ci.refused("CollectAttestations", pb.CollectAttestationsRequest(release=release))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ("images[0]",))
    assert "is not a registry that this server reads" in refused.message
    foreign = f"{place.host}/team/app@sha256:{'0' * 64}"
    for text, problem in (
        (foreign, "is no artifact of this release"),
        ("nginx", "needs a digest"),
        (f"http://{place.host}/team/app@{digest_of(image)}", "has a repository that no registry takes"),
    ):
        request = pb.CollectAttestationsRequest(release=release, images=[text])
        refused = await place.ci.refused("CollectAttestations", request)
        assert (refused.reason, refused.fields) == ("INVALID_FIELDS", ("images[0]",))
        assert problem in refused.message
    named = await place.collect(release, f"{place.host}/team/app@{digest_of(image)}")
    assert [one.complete for one in named.images] == [True]


async def test_a_registry_that_does_not_answer_is_no_evidence(place: Place) -> None:
    image = await place.to.image("gone")
    release = await place.release("1.6.0", image, name="127.0.0.1:9/team/app")
    await attach(place.to, image, provenance(image))
    request = pb.CollectAttestationsRequest(release=release)
    refused = await place.ci.refused("CollectAttestations", request)
    assert (refused.code, refused.reason) == ("UNAVAILABLE", "OUTBOUND_FAILED")
    # What another registry has counts all the same, and what is missing is said.
    both = [f"{host}/team/app@{digest_of(image)}" for host in ("127.0.0.1:9", place.host)]
    found = await place.collect(release, *both)
    assert [(one.complete, len(one.problems)) for one in found.images] == [(False, 1), (True, 0)]
    assert len(found.evidence) == 1


async def test_one_attestation_of_an_image_in_two_repositories_is_one_item(
    place: Place, registry: str
) -> None:
    image = await place.to.image("twice")
    release = await place.release("1.7.0", image)
    async with pushing(registry, "team/copy") as copy:
        assert await copy.image("twice") == image
        bundle = provenance(image)
        for to in (place.to, copy):
            await attach(to, image, bundle)
    images = [f"{place.host}/team/{name}@{digest_of(image)}" for name in ("app", "copy")]
    found = await place.collect(release, *images)
    assert len(found.evidence) == 1
    assert {one.evidence for each in found.images for one in each.attestations} == {found.evidence[0].name}


async def test_a_registry_with_a_log_in_is_read_with_the_servers_credential(tmp_path: Path) -> None:
    with debian_registry(tmp_path, htpasswd(tmp_path)) as url:
        login = base64.b64encode(b"robot:s3cret").decode()
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"auths": {urlsplit(url).netloc: {"auth": login}}}))
        given = {"hosts": url, "credentials_file": str(config)}
        async with (
            real_server(tmp_path, verification={"processes": 1}, registries=given) as server,
            pushing(url, authorization=f"Basic {login}") as to,
        ):
            admin = Caller(server, server.token)
            image = await to.image("private")
            await attach(to, image, provenance(image))
            release = await registered(admin, f"{urlsplit(url).netloc}/team/app", digest_of(image))
            found = await admin("CollectAttestations", pb.CollectAttestationsRequest(release=release))
    # It was read, and nobody is trusted here.
    assert [one.reason for one in found.images[0].attestations] == ["NO_TRUSTED_ROOT"]
    assert found.images[0].complete


async def registered(admin: Caller, name: str, digest: str) -> str:
    """Register a service with one release of one image."""
    environment = catalog_pb2.Environment(environment_id="prod")
    await admin("CreateEnvironment", catalog_service_pb2.CreateEnvironmentRequest(environment=environment))
    service = catalog_pb2.Service(service_id="shop")
    await admin("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))
    artifact = release_pb2.Artifact(name=name, digest=digest)
    identity = release_pb2.ReleaseIdentity(
        service="shop", environment="prod", version="1", artifacts=[artifact]
    )
    made = await admin("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=identity))
    found: str = made.release.name
    return found


async def test_no_registry_is_read_that_nobody_has_configured(tmp_path: Path) -> None:
    async with real_server(tmp_path) as server:
        admin = Caller(server, server.token)
        release = await registered(admin, "ghcr.io/acme/shop", "sha256:" + "a" * 64)
        request = pb.CollectAttestationsRequest(release=release)
        refused = await admin.refused("CollectAttestations", request)
        assert "ghcr.io is not a registry that this server reads" in refused.message
