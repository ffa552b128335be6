"""What is attached to an image: found in Debian's registry and in one with referrers, and never trusted."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.oci import finder
from release_passport_server.adapters.oci.registry import OCIRegistry
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.image import (
    AttestationForm,
    AttestationPlace,
    Attestations,
    Image,
    Platform,
    RegistryAccess,
    RegistryCredential,
)
from release_passport_server.domain.outbound import Origin, OutboundError, OutboundFailure
from support.certificates import Certificates
from support.http_peer import Asked, Write, peer, reply
from support.oci_registry import (
    BUNDLE,
    EMPTY,
    ENVELOPE,
    INDEX,
    MANIFEST,
    FakeRegistry,
    Pushed,
    TokenServer,
    bundle_manifest,
    debian_registry,
    descriptor,
    digest_of,
    htpasswd,
    index,
    manifest,
    pushing,
    running,
    token_auth,
)

REGISTRY = OCIRegistry(GuardedClients("release-passport/test"))
PREDICATE = "https://slsa.dev/provenance/v1"
ENTRY = base64.b64encode(b'{"apiVersion":"0.0.1","kind":"dsse"}').decode()
LOGGED = json.dumps(
    {
        "SignedEntryTimestamp": "c2V0",
        "Payload": {"body": ENTRY, "integratedTime": 1750000000, "logIndex": 7, "logID": "ab" * 32},
    }
)


def access_to(url: str, *others: str, credential: RegistryCredential | None = None) -> RegistryAccess:
    """Return how a registry of a test is reached: it is on this machine."""
    return RegistryAccess(
        Origin.of(url, internal=True),
        tuple(Origin.of(other, internal=True) for other in others),
        credential,
    )


def image_of(subject: bytes, url: str = "http://127.0.0.1", repository: str = "team/app") -> Image:
    return Image(urlsplit(url).netloc, repository, digest_of(subject))


async def found(url: str, subject: bytes, *others: str, **more: Any) -> Attestations:
    return await REGISTRY.attestations(access_to(url, *others, **more), image_of(subject, url))


async def failure(url: str, subject: bytes, *others: str, **more: Any) -> OutboundFailure:
    with pytest.raises(OutboundError) as raised:
        await found(url, subject, *others, **more)
    assert "s3cret" not in raised.value.message
    return raised.value.failure


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


ROBOT = RegistryCredential("robot", "s3cret")


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


class Attached:
    """A fake registry with an image and its bundles."""

    def __init__(self, *bundles: bytes, referrers: bool = True, page: int = 100) -> None:
        self.fake = FakeRegistry(referrers=referrers, page=page)
        self.subject = manifest()
        self.manifests = [bundle_manifest(bundle, self.subject) for bundle in bundles]
        for bundle in bundles:
            self.put(bundle, "application/octet-stream")
        for made in self.manifests:
            self.put(made, MANIFEST)

    def put(self, body: bytes, media_type: str, digest: str = "") -> None:
        self.fake.content["team/app", digest or digest_of(body)] = body, media_type

    def path(self, kind: str, name: str = "") -> str:
        return f"/v2/team/app/{kind}/{name or digest_of(self.subject)}"

    async def found(self) -> Attestations:
        async with running(self.fake) as it:
            return await found(it.url(), self.subject)


def bodies(answer: Attestations) -> list[bytes]:
    return [one.body for one in answer.items]


@pytest.mark.parametrize("what", ["blob", "manifest"])
async def test_content_that_is_not_what_its_digest_says_is_left_out(what: str) -> None:
    registry = Attached(b'{"good":1}', b'{"swapped":1}')
    if what == "blob":
        registry.put(b'{"other":1}', "application/octet-stream", digest_of(b'{"swapped":1}'))
        where = digest_of(b'{"swapped":1}')
    else:
        swapped = registry.manifests[1]
        registry.put(bundle_manifest(b'{"other":1}', registry.subject), MANIFEST, digest_of(swapped))
        registry.fake.instead[registry.path("referrers")] = reply(
            index(*(descriptor(one, MANIFEST, artifactType=BUNDLE) for one in registry.manifests))
        )
        where = digest_of(swapped)
    answer = await registry.found()
    assert (bodies(answer), answer.complete) == ([b'{"good":1}'], False)
    (problem,) = answer.problems
    assert (problem.where, "other content than" in problem.text) == (where, True)


async def test_an_attestation_of_another_image_is_left_out() -> None:
    registry = Attached(b'{"good":1}')
    stranger = bundle_manifest(b'{"stranger":1}', manifest(descriptor(b"x", "text/plain")))
    registry.put(stranger, MANIFEST)
    entries = [descriptor(one, MANIFEST, artifactType=BUNDLE) for one in (*registry.manifests, stranger)]
    registry.fake.instead[registry.path("referrers")] = reply(index(*entries))
    answer = await registry.found()
    assert (bodies(answer), answer.complete) == ([b'{"good":1}'], True)
    assert "about another one" in answer.problems[0].text


async def test_what_is_no_attestation_is_not_read() -> None:
    registry = Attached(b'{"good":1}')
    note = manifest(
        descriptor(b"x", "text/plain"),
        subject=descriptor(registry.subject, MANIFEST),
        artifactType="text/plain",
    )
    registry.put(note, MANIFEST)
    async with running(registry.fake) as it:
        answer = await found(it.url(), registry.subject)
    assert (bodies(answer), answer.problems, answer.complete) == ([b'{"good":1}'], (), True)
    assert registry.path("manifests", digest_of(note)) not in [asked.target for asked in it.asked]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html>", "not JSON"),
        (b"[]", "not an object"),
        (b'{"manifests":{}}', "not a list"),
        (b'{"manifests":[],"layers":[]}', "both a manifest and an index"),
        (b'{"a":1,"a":2}', "same key twice"),
        (b'{"manifests":[{"digest":"sha256:../../../etc","size":1}]}', "name nothing that can be read"),
        (b'{"manifests":[{"digest":"sha512:00","size":1},7,{}]}', "3 entries"),
        (b'{"a":' * 10_000, "deep"),
    ],
)
async def test_a_list_that_cannot_be_read_is_a_problem_and_never_complete(body: bytes, text: str) -> None:
    registry = Attached()
    registry.fake.instead[registry.path("referrers")] = reply(body)
    answer = await registry.found()
    assert (answer.items, answer.complete) == ((), False)
    assert text in answer.problems[0].text


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v2/team/app/referrers/x",
        "http://169.254.169.254/latest",
        "/v2/other/repo/referrers/x",
        "//evil.example/",
        "/v2/team/app/manifests/latest",
    ],
)
async def test_a_list_does_not_go_on_elsewhere(link: str) -> None:
    registry = Attached(b'{"good":1}')
    entries = [descriptor(one, MANIFEST, artifactType=BUNDLE) for one in registry.manifests]
    registry.fake.instead[registry.path("referrers")] = reply(index(*entries), Link=f'<{link}>; rel="next"')
    answer = await registry.found()
    assert (bodies(answer), answer.complete) == ([b'{"good":1}'], False)


async def test_a_list_without_an_end_ends() -> None:
    registry = Attached(b'{"good":1}')
    entries = [descriptor(one, MANIFEST, artifactType=BUNDLE) for one in registry.manifests]
    path = registry.path("referrers")
    registry.fake.instead[path] = reply(index(*entries), Link=f'<{path}?again>; rel="next"')
    async with running(registry.fake) as it:
        answer = await found(it.url(), registry.subject)
    assert (bodies(answer), answer.complete) == ([b'{"good":1}'], False)
    assert sum("referrers" in asked.target for asked in it.asked) == finder.MAX_PAGES + 1


async def test_more_attestations_than_are_read_is_said() -> None:
    registry = Attached(*(f'{{"n":{n}}}'.encode() for n in range(finder.MAX_FOLLOWED + 5)))
    answer = await registry.found()
    assert (len(answer.items), answer.complete) == (finder.MAX_FOLLOWED, False)
    assert "69 attestations are attached; 64 were read" in answer.problems[0].text


async def test_more_envelopes_under_one_tag_than_are_read_is_said() -> None:
    registry = Attached(referrers=False)
    envelopes = [f'{{"n":{n}}}'.encode() for n in range(finder.MAX_LAYERS + 1)]
    for envelope in envelopes:
        registry.put(envelope, ENVELOPE)
    tagged = manifest(*(descriptor(envelope, ENVELOPE) for envelope in envelopes))
    registry.put(tagged, MANIFEST)
    tag = f"{digest_of(registry.subject).replace(':', '-')}.att"
    registry.fake.tags["team/app", tag] = digest_of(tagged)
    answer = await registry.found()
    assert (len(answer.items), answer.complete) == (finder.MAX_LAYERS, False)


async def test_what_says_or_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "MAX_ATTESTATION", 20)
    registry = Attached(b'{"good":1}', b'{"large":"' + b"x" * 100 + b'"}')
    liar = manifest(
        descriptor(b"y" * 100, BUNDLE) | {"size": 1},
        subject=descriptor(registry.subject, MANIFEST),
        artifactType=BUNDLE,
    )
    registry.put(liar, MANIFEST)
    registry.put(b"y" * 100, "application/octet-stream")
    answer = await registry.found()
    assert (bodies(answer), answer.complete) == ([b'{"good":1}'], False)
    assert [
        "an attestation of 112 bytes" in p.text or "larger than 20" in p.text for p in answer.problems
    ] == [
        True,
        True,
    ]


async def test_one_answer_does_not_take_more_than_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_passport_server.adapters.oci.registry.MAX_BYTES", 4000)
    registry = Attached(*(f'{{"n":"{n}{"x" * 900}"}}'.encode() for n in range(5)))
    answer = await registry.found()
    assert (0 < len(answer.items) < 5, answer.complete) == (True, False)


async def test_what_was_found_before_the_time_was_up_is_kept() -> None:
    registry = Attached(b'{"good":1}', b'{"slow":1}')
    dripping = OCIRegistry(GuardedClients("test"), seconds=0.3, call_seconds=60)

    async def never(_: Asked, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")

    registry.fake.instead[registry.path("blobs", digest_of(b'{"slow":1}'))] = never
    async with running(registry.fake) as it:
        answer = await dripping.attestations(access_to(it.url()), image_of(registry.subject))
        assert (bodies(answer), answer.complete) == ([b'{"good":1}'], False)
        registry.fake.instead[registry.path("referrers")] = never
        with pytest.raises(OutboundError, match="took longer"):
            await dripping.attestations(access_to(it.url()), image_of(registry.subject))


async def test_a_blob_may_come_from_elsewhere_and_is_checked() -> None:
    registry = Attached(b'{"good":1}')
    registry.fake.wants, registry.fake.challenge = "Basic cm9ib3Q6czNjcmV0", 'Basic realm="x"'
    async with peer(reply(b'{"good":1}')) as store, running(registry.fake) as it:
        path = registry.path("blobs", digest_of(b'{"good":1}'))
        registry.fake.instead[path] = reply(status=307, Location=store.url("/blob"))
        answer = await found(it.url(), registry.subject, store.url(), credential=ROBOT)
        assert bodies(answer) == [b'{"good":1}']
        assert "authorization" not in store.asked[0].headers
        store.answer = reply(b'{"evil":1}')
        assert bodies(await found(it.url(), registry.subject, store.url(), credential=ROBOT)) == []
        # A host that is not configured is on this machine, and no public one.
        answer = await found(it.url(), registry.subject, credential=ROBOT)
        assert (answer.items, answer.complete) == ((), False)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_registry_that_fails_is_not_a_registry_without_attestations(status: int) -> None:
    async with peer(reply(b"{}", status)) as it:
        assert await failure(it.url(), b"image") is OutboundFailure.STATUS_UNEXPECTED


async def test_an_index_is_what_its_digest_says_and_hides_no_platform() -> None:
    made = index(descriptor(EMPTY, MANIFEST), {"digest": "sha512:00", "size": 1})
    for answer in (index(), made):
        async with peer(reply(answer)) as it:
            with pytest.raises(OutboundError) as raised:
                await REGISTRY.platforms(access_to(it.url()), image_of(made))
            assert raised.value.failure is OutboundFailure.CONTENT_REFUSED


async def test_a_registry_inside_is_not_reached_unless_that_is_configured() -> None:
    async with running(FakeRegistry()) as it:
        access = replace(access_to(it.url()), origin=Origin.of(it.url()))
        with pytest.raises(OutboundError) as raised:
            await REGISTRY.attestations(access, image_of(b"image"))
        assert raised.value.failure is OutboundFailure.ADDRESS_REFUSED
        assert it.asked == []
