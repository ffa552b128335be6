"""What is attached to an image: found in Debian's registry and in one with referrers, and never trusted."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.image import (
    AttestationForm,
    AttestationPlace,
    Attestations,
    Platform,
    RegistryCredential,
)
from release_passport_server.domain.outbound import OutboundFailure
from support.certificates import Certificates
from support.http_peer import peer, reply
from support.oci_registry import (
    BUNDLE,
    INDEX,
    MANIFEST,
    FakeRegistry,
    Pushed,
    TokenServer,
    debian_registry,
    descriptor,
    digest_of,
    htpasswd,
    index,
    pushing,
    running,
    token_auth,
)
from support.registry_asking import REGISTRY, ROBOT, access_to, failure, found, image_of

PREDICATE = "https://slsa.dev/provenance/v1"
ENTRY = base64.b64encode(b'{"apiVersion":"0.0.1","kind":"dsse"}').decode()
LOGGED = json.dumps(
    {
        "SignedEntryTimestamp": "c2V0",
        "Payload": {"body": ENTRY, "integratedTime": 1750000000, "logIndex": 7, "logID": "ab" * 32},
    }
)


@pytest.fixture
def debian(tmp_path: Path) -> Iterator[str]:
    """Give the URL of a real registry, which has no referrers API."""
    with debian_registry(tmp_path) as url:
        yield url


@pytest.fixture(params=["fake with referrers", "fake without", "debian"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Give the URL of a registry of each kind."""
    if request.param == "debian":
        yield request.getfixturevalue("debian")
        return
    async with running(FakeRegistry(referrers="with referrers" in request.param)) as it:
        yield it.url().rstrip("/")


async def attach(to: Pushed, subject: bytes, *bundles: bytes) -> None:
    """Attach bundles by referring to their subject, and by the tag for registries that do not list that."""
    entries = []
    for bundle in bundles:
        notes = {"dev.sigstore.bundle.predicateType": PREDICATE}
        made = await to.bundle(bundle, subject, annotations=notes)
        entries.append(descriptor(made, MANIFEST, artifactType=BUNDLE, annotations=notes))
    await to.manifest(index(*entries), digest_of(subject).replace(":", "-"), INDEX)


async def test_attestations_are_found_wherever_they_are_attached(url: str) -> None:
    bundles = [b'{"bundle":1}', b'{"bundle":2}', b'{"bundle":3}']
    envelope = (
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"c2ln"}]}'
    )
    async with pushing(url) as to:
        subject = await to.image()
        other = await to.image("other")
        await attach(to, subject, *bundles)
        await attach(to, other, b'{"bundle":"of another image"}')
        await to.attach_by_tag({envelope: {"predicateType": PREDICATE}}, subject)
    answer = await found(url, subject)
    assert (answer.problems, answer.complete) == ((), True)
    assert {one.place for one in answer.items[:3]} < {
        AttestationPlace.REFERRERS,
        AttestationPlace.REFERRERS_TAG,
    }
    assert [(one.body, one.form, one.digest, one.predicate_type) for one in answer.items] == [
        *((bundle, AttestationForm.BUNDLE, digest_of(bundle), PREDICATE) for bundle in bundles),
        (envelope, AttestationForm.ENVELOPE, digest_of(envelope), PREDICATE),
    ]
    assert answer.items[3].place is AttestationPlace.COSIGN_TAG


async def test_an_image_without_attestations_has_none(url: str) -> None:
    async with pushing(url) as to:
        subject = await to.image()
    assert await found(url, subject) == Attestations((), (), complete=True)


async def test_an_envelope_with_its_log_entry_becomes_a_bundle(url: str, tmp_path: Path) -> None:
    certificate = Certificates.make(tmp_path).client_certificate.read_text()
    envelope = (
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"c2ln"}]}'
    )
    notes = {"dev.sigstore.cosign/certificate": certificate, "dev.sigstore.cosign/bundle": LOGGED}
    async with pushing(url) as to:
        subject = await to.image()
        await to.attach_by_tag({envelope: notes}, subject)
    (one,) = (await found(url, subject)).items
    assert (one.form, one.digest) == (AttestationForm.BUNDLE, digest_of(envelope))
    assert json.loads(one.body)["mediaType"] == "application/vnd.dev.sigstore.bundle+json;version=0.1"


async def test_an_index_gives_its_platforms_and_an_image_none(url: str) -> None:
    async with pushing(url) as to:
        amd, arm = await to.image("amd"), await to.image("arm")
        note = {
            "vnd.docker.reference.digest": digest_of(amd),
            "vnd.docker.reference.type": "attestation-manifest",
        }
        made = index(
            descriptor(amd, MANIFEST, platform={"os": "linux", "architecture": "amd64"}),
            descriptor(arm, MANIFEST, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
            descriptor(await to.image("built"), MANIFEST, annotations=note, platform={"os": "unknown"}),
        )
        await to.manifest(made, "all", INDEX)
    access = access_to(url)
    assert await REGISTRY.platforms(access, image_of(made)) == (
        Platform("linux", "amd64", "", digest_of(amd)),
        Platform("linux", "arm64", "v8", digest_of(arm)),
    )
    assert await REGISTRY.platforms(access, image_of(amd)) == ()
    with pytest.raises(NotFound, match="there is no image"):
        await REGISTRY.platforms(access, image_of(b"never pushed"))


async def test_debians_registry_lets_us_in_by_password(tmp_path: Path) -> None:
    with debian_registry(tmp_path, htpasswd(tmp_path)) as url:
        basic = "Basic " + base64.b64encode(b"robot:s3cret").decode()
        async with pushing(url, authorization=basic) as to:
            subject = await to.image()
            await attach(to, subject, b'{"bundle":1}')
        assert len((await found(url, subject, credential=ROBOT)).items) == 1
        assert await failure(url, subject) is OutboundFailure.ACCESS_REFUSED
        wrong = RegistryCredential("robot", "s3cret2")
        assert await failure(url, subject, credential=wrong) is OutboundFailure.ACCESS_REFUSED
    assert "s3cret" not in repr(ROBOT)


async def test_debians_registry_lets_us_in_by_token(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path)
    tokens = TokenServer(certificates)
    async with peer(tokens) as it:
        realm = it.url("/token?of=test")
        with debian_registry(tmp_path, token_auth(realm, certificates)) as url:
            push = f"Bearer {tokens.token('repository:team/app:pull,push')}"
            async with pushing(url, authorization=push) as to:
                subject = await to.image()
                await attach(to, subject, b'{"bundle":1}', b'{"bundle":2}')
            assert len((await found(url, subject, it.url(), credential=ROBOT)).items) == 2
            assert tokens.asked == [
                {"of": ["test"], "service": ["test-registry"], "scope": ["repository:team/app:pull"]}
            ]
            assert await failure(url, subject, it.url()) is OutboundFailure.ACCESS_REFUSED


async def test_a_credential_goes_to_no_token_server_that_is_not_configured() -> None:
    async with peer(reply(b'{"token":"x"}')) as thief:
        fake = FakeRegistry(wants="Bearer x", challenge=f'Bearer realm="{thief.url("/token")}",service="s"')
        async with running(fake) as it:
            assert await failure(it.url(), b"image", credential=ROBOT) is OutboundFailure.HOST_REFUSED
            assert thief.asked == []
            fake.challenge = 'Bearer realm="http://169.254.169.254/token"'
            assert await failure(it.url(), b"image", credential=ROBOT) is OutboundFailure.HOST_REFUSED


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(b'{"access_token":"good"}'), None),
        (reply(b'{"token":"bad"}'), OutboundFailure.ACCESS_REFUSED),
        (reply(b"{}", 403), OutboundFailure.ACCESS_REFUSED),
        (reply(b"[]"), OutboundFailure.CONTENT_REFUSED),
        (reply(b"not json"), OutboundFailure.CONTENT_REFUSED),
        (reply(b'{"token":"a b"}'), OutboundFailure.CONTENT_REFUSED),
        (reply(b'{"token":"a\\r\\nb"}'), OutboundFailure.CONTENT_REFUSED),
        (reply(b'{"token":1}'), OutboundFailure.CONTENT_REFUSED),
        (reply(b"x" * 100_000), OutboundFailure.TOO_LARGE),
    ],
)
async def test_what_a_token_server_may_answer(answer: Any, expected: OutboundFailure | None) -> None:
    fake = FakeRegistry(wants="Bearer good")
    async with running(fake) as it:
        fake.challenge = f'Bearer realm="{it.url("/token")}",service="s"'
        fake.instead["/token"] = answer
        if expected is None:
            assert (await found(it.url(), b"image")).complete
        else:
            assert await failure(it.url(), b"image") is expected


@pytest.mark.parametrize("challenge", ["", "Negotiate", 'Digest realm="x"', 'Basic realm="x"'])
async def test_a_log_in_that_is_not_known_is_refused(challenge: str) -> None:
    async with running(FakeRegistry(wants="Bearer x", challenge=challenge)) as it:
        assert await failure(it.url(), b"image") is OutboundFailure.ACCESS_REFUSED
