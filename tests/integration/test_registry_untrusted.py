"""A registry says what it likes: what does not hold is left out, and what was left out is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.oci import finder
from release_passport_server.adapters.oci.registry import OCIRegistry
from release_passport_server.domain.outbound import Origin, OutboundError, OutboundFailure
from support.http_peer import Asked, Write, peer, reply
from support.oci_registry import (
    BUNDLE,
    EMPTY,
    ENVELOPE,
    MANIFEST,
    FakeRegistry,
    bundle_manifest,
    descriptor,
    digest_of,
    index,
    manifest,
    running,
)
from support.registry_asking import REGISTRY, ROBOT, Attached, access_to, bodies, failure, found, image_of


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
