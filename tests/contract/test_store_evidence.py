"""Observations and their facts, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.access import Scope
from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.evidence import EvidenceItem, Revocation, Subject, Verification
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import FeedEvent, Listed, Page
from release_passport_server.ports.store import EvidenceFilter, Reader, Transaction
from support.store import SECOND, START, TENANT, an_item, put_item, sha, workload

ARTIFACT = Subject(SubjectType.ARTIFACT, sha("app"))


async def put(store: SQLStore, *items: EvidenceItem) -> tuple[EvidenceItem, ...]:
    def act(tx: Transaction) -> tuple[EvidenceItem, ...]:
        stored = tx.put_evidence(items)
        tx.emit(FeedEvent("evidence.submitted", stored[0].name, ()))
        return stored

    return (await store.write(TENANT, act)).value


async def listed(store: SQLStore, wanted: EvidenceFilter) -> list[str]:
    found = await store.read(TENANT, lambda reader: reader.list_evidence(wanted, Page(1000)))
    return [item.name for item in found.items]


async def test_an_item_is_found_as_it_was_put(store: SQLStore) -> None:
    item = an_item(
        2,
        subject=ARTIFACT,
        key="pager: x",
        expire_time=START + timedelta(hours=1, microseconds=1),
        verification=Verification.FAILED,
        verification_reason="SIGNER_NOT_TRUSTED: nobody knows it",
        signer="key:1",
        scopes=(Scope(("checkout",), ("prod", "st*")), Scope()),
        samples=2**40,
        inconclusive=True,
        external_id="run/7 %_\\'",
        source_identities=("ada@example.com", "ada"),
    )
    written = await store.write(TENANT, lambda tx: put_item(tx, item))
    found = await store.read(TENANT, lambda reader: reader.find_evidence(item.name))
    assert found == written.value == replace(item, revision=written.revision)


async def test_equal_facts_are_stored_once(store: SQLStore) -> None:
    one, two, other = an_item(1), an_item(1, at=START + SECOND), an_item(2)
    await put(store, one)
    await put(store, two, other)
    digests = [one.facts_digest, other.facts_digest, sha("unknown")]
    bodies = await store.read(TENANT, lambda reader: reader.evidence_bodies(digests))
    assert set(bodies) == {one.facts_digest, other.facts_digest}
    about = await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))
    assert [item.facts for item in about] == [one.facts, other.facts, two.facts]
    assert await store.read("other", lambda reader: reader.evidence_bodies(digests)) == {}


async def test_a_repeated_observation_is_the_stored_one(store: SQLStore) -> None:
    first = (await put(store, an_item(external_id="7")))[0]
    again, later, unnamed = await put(
        store,
        an_item(external_id="7"),
        an_item(external_id="7", at=START + SECOND),
        an_item(),
    )
    assert again == first
    assert later.name != first.name
    assert unnamed.name not in {first.name, later.name}
    assert len(await listed(store, EvidenceFilter())) == 3


async def test_an_observation_repeated_within_one_write_is_stored_once(store: SQLStore) -> None:
    one, two = await put(store, an_item(external_id="7"), an_item(external_id="7"))
    assert one == two


async def test_other_facts_under_the_same_id_and_time_are_not_swallowed(store: SQLStore) -> None:
    good, bad = await put(store, an_item(0, external_id="7"), an_item(5, external_id="7"))
    assert (good.name, good.facts) != (bad.name, bad.facts)
    (again,) = await put(store, an_item(5, external_id="7"))
    assert again == bad
    assert len(await listed(store, EvidenceFilter())) == 2


async def test_an_item_that_is_verified_now_does_not_stay_unverified(store: SQLStore) -> None:
    refused = an_item(external_id="7", verification=Verification.FAILED, verification_reason="no such key")
    verified = an_item(external_id="7", verification=Verification.VERIFIED, signer="key:ours")
    await put(store, refused)
    (stored,) = await put(store, verified)
    assert stored.verification is Verification.VERIFIED


async def test_one_report_may_be_about_several_subjects(store: SQLStore) -> None:
    stored = await put(
        store, an_item(external_id="7"), an_item(external_id="7", subject=ARTIFACT), an_item(external_id="8")
    )
    assert len({item.name for item in stored}) == 3


async def test_another_source_may_use_the_same_id(store: SQLStore) -> None:
    one, two = await put(store, an_item(external_id="7"), an_item(external_id="7", source="connector:other"))
    assert one.name != two.name


async def test_evidence_about_subjects_is_oldest_first(store: SQLStore) -> None:
    old, new, about_artifact, elsewhere = (
        an_item(at=START - SECOND),
        an_item(at=START + SECOND),
        an_item(subject=ARTIFACT),
        an_item(subject=workload("search")),
    )
    await put(store, new, elsewhere, about_artifact, old)
    found = await store.read(TENANT, lambda reader: reader.evidence_about([workload(), ARTIFACT]))
    assert [item.name for item in found] == [old.name, about_artifact.name, new.name]
    assert await store.read(TENANT, lambda reader: reader.evidence_about([])) == ()


async def test_of_a_long_series_the_newest_256_are_looked_at(store: SQLStore) -> None:
    series = [an_item(at=START + n * SECOND) for n in range(300)]
    other = [an_item(key="other", at=START - SECOND), an_item(source="connector:other", at=START - SECOND)]
    await put(store, *series, *other)
    found = await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))
    assert [item.name for item in found[:2]] == sorted(item.name for item in other)
    assert [item.name for item in found[2:]] == [item.name for item in series[44:]]


async def test_of_observations_at_one_time_no_more_than_256_are_looked_at(store: SQLStore) -> None:
    series = [an_item() for _ in range(300)]
    await put(store, *series)
    found = await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))
    assert [item.name for item in found] == [item.name for item in series[44:]]


async def test_what_was_read_before_is_read_as_it_is_now(store: SQLStore) -> None:
    async def about() -> tuple[EvidenceItem, ...]:
        return await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))

    written = await put(
        store,
        an_item(1, expire_time=START + timedelta(hours=1, microseconds=1), source_identities=("ada",)),
        an_item(2, at=START + SECOND, inconclusive=True, verification=Verification.FAILED),
    )
    assert await about() == written
    assert await about() == written
    revocation = Revocation(START + SECOND, "user:ann", "wrong run")
    await store.write(TENANT, lambda tx: tx.revoke_evidence(written[0].name, revocation))
    assert await about() == (replace(written[0], revocation=revocation), written[1])
    verified = replace(written[1], verification=Verification.VERIFIED, signer="key:1")
    await store.write(TENANT, lambda tx: tx.put_verification(verified))
    assert await about() == (replace(written[0], revocation=revocation), verified)


async def test_a_revoked_item_stays_with_its_revocation(store: SQLStore) -> None:
    (item,) = await put(store, an_item())
    revocation = Revocation(START + SECOND, "user:ann", "the scanner was broken")

    def act(tx: Transaction) -> None:
        tx.revoke_evidence(item.name, revocation)
        tx.emit(FeedEvent("RevokeEvidence", item.name, ("workload:checkout/prod",)))

    await store.write(TENANT, act)
    expected = replace(item, revocation=revocation)
    assert await store.read(TENANT, lambda reader: reader.find_evidence(item.name)) == expected
    assert await store.read(TENANT, lambda reader: reader.evidence_about([workload()])) == (expected,)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EvidenceFilter(), "dcba"),
        (EvidenceFilter(kind="incident_state"), "dcba"),
        (EvidenceFilter(kind="metric_sample"), ""),
        (EvidenceFilter(source="connector:other"), "c"),
        (EvidenceFilter(subjects=(ARTIFACT,)), "b"),
        (EvidenceFilter(subjects=(ARTIFACT, workload("search"))), "db"),
        (EvidenceFilter(source="connector:other", subjects=(ARTIFACT,)), ""),
    ],
)
async def test_a_list_shows_what_the_filter_says_newest_first(
    store: SQLStore, wanted: EvidenceFilter, expected: str
) -> None:
    items = {
        "a": an_item(),
        "b": an_item(subject=ARTIFACT),
        "c": an_item(source="connector:other"),
        "d": an_item(subject=workload("search")),
    }
    for item in items.values():
        await put(store, item)
    letters = {item.name: letter for letter, item in items.items()}
    assert "".join(letters[name] for name in await listed(store, wanted)) == expected


async def test_items_of_one_write_are_listed_page_by_page(store: SQLStore) -> None:
    await put(store, *(an_item() for _ in range(5)))
    await put(store, an_item())
    everything = await listed(store, EvidenceFilter())
    seen: list[str] = []
    after = ""
    for _ in range(3):
        found = await store.read(TENANT, partial(_page, page=Page(2, after)))
        seen += [item.name for item in found.items]
        after = found.next_after
    assert (seen, after) == (everything, "")


def _page(reader: Reader, page: Page) -> Listed[EvidenceItem]:
    return reader.list_evidence(EvidenceFilter(), page)


@pytest.mark.parametrize("after", ["x", "7", "7 ", " ", "x y", "9" * 40 + " n", "-1 n", "\u0661 n"])
async def test_a_place_that_no_list_gave_is_refused(store: SQLStore, after: str) -> None:
    await put(store, an_item())
    with pytest.raises(Invalid) as refused:
        await store.read(TENANT, lambda reader: reader.list_evidence(EvidenceFilter(), Page(2, after)))
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


async def test_times_keep_their_microseconds_and_their_zone(store: SQLStore) -> None:
    far = START.replace(year=9999, microsecond=999_999)
    early = START.replace(year=1, month=1, day=1)
    (item,) = await put(store, an_item(observe_time=early, expire_time=far))
    found = await store.read(TENANT, lambda reader: reader.find_evidence(item.name))
    assert found is not None
    assert (found.observe_time, found.expire_time) == (early, far)
    assert found.observe_time.tzinfo is START.tzinfo
