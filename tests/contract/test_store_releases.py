"""Releases, attempts and latches, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.access import Scope
from release_passport_server.domain.record import FeedEvent, Page
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.ports.judging import CaseKey, LoadedCase
from release_passport_server.ports.store import ReleaseFilter, Transaction
from support.store import START, TENANT, a_release, put_release, sha, subjects_of

EVERYTHING = ReleaseFilter((Scope(),))


def attempt(release: Release, number: int, minute: int, outcome: str = "") -> Attempt:
    start = START + timedelta(minutes=minute)
    return Attempt(
        f"{release.name}/attempts/{number}",
        number,
        f"{release.name}/decisions/none",
        start,
        "sa:cd",
        start + timedelta(seconds=30) if outcome else None,
        outcome,
        "it is done" if outcome else "",
        ("ada@example.com",) if number % 2 else (),
    )


def latch(name: str, policy: str = "health") -> Latch:
    return Latch(name, policy, "errors", "decision", "attempt", True, "ROLLBACK_RECOMMENDED", START)


async def put(store: SQLStore, *releases: Release) -> None:
    for release in releases:
        await store.write(TENANT, lambda tx, release=release: put_release(tx, release))  # type: ignore[misc]


async def rolled_out(store: SQLStore, release: Release, *attempts: Attempt) -> None:
    def act(tx: Transaction) -> None:
        for one in attempts:
            tx.put_attempt(release, one)
        tx.emit(FeedEvent("rollout", release.name, ()))

    await store.write(TENANT, act)


async def names(store: SQLStore, wanted: ReleaseFilter, page: Page | None = None) -> list[str]:
    listed = await store.read(TENANT, lambda reader: reader.list_releases(wanted, page or Page(100)))
    return [release.identity.version for release in listed.items]


async def loaded(store: SQLStore, release: Release) -> LoadedCase:
    key = CaseKey(release, subjects_of(release), release.name)
    return await store.read(TENANT, lambda reader: reader.load_case(key, START))


async def test_a_release_is_found_as_it_was_put(store: SQLStore) -> None:
    release = a_release()
    written = await store.write(TENANT, lambda tx: put_release(tx, release))
    found = await store.read(TENANT, lambda reader: reader.find_release("checkout", "prod", "1.0.0"))
    assert found == replace(release, revision=written.revision, is_first=True)


async def test_case_counts_in_a_version(store: SQLStore) -> None:
    await put(store, a_release("1.0-RC"))
    assert await store.read(TENANT, lambda reader: reader.find_release("checkout", "prod", "1.0-rc")) is None


async def test_nothing_is_found_in_another_tenant(store: SQLStore) -> None:
    await put(store, a_release())
    assert await store.read("other", lambda reader: reader.find_release("checkout", "prod", "1.0.0")) is None
    assert (await store.read("other", lambda reader: reader.list_releases(EVERYTHING, Page(10)))).items == ()
    assert await store.read("other", lambda reader: reader.revision()) == 0


async def test_releases_are_listed_newest_first_page_by_page(store: SQLStore) -> None:
    await put(store, *(a_release(f"{n}.0") for n in range(5)))
    seen: list[str] = []
    after = ""
    for _ in range(3):
        page = Page(2, after)
        listed = await store.read(TENANT, lambda reader, page=page: reader.list_releases(EVERYTHING, page))  # type: ignore[misc]
        seen += [release.identity.version for release in listed.items]
        after = listed.next_after
    assert seen == ["4.0", "3.0", "2.0", "1.0", "0.0"]
    assert after == ""


async def test_releases_of_one_write_are_all_listed(store: SQLStore) -> None:
    releases = [a_release(f"{n}.0") for n in range(5)]

    def act(tx: Transaction) -> None:
        for release in releases:
            put_release(tx, release)

    await store.write(TENANT, act)
    first = await store.read(TENANT, lambda reader: reader.list_releases(EVERYTHING, Page(2)))
    rest = await store.read(
        TENANT, lambda reader: reader.list_releases(EVERYTHING, Page(10, first.next_after))
    )
    assert {r.identity.version for r in (*first.items, *rest.items)} == {f"{n}.0" for n in range(5)}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ReleaseFilter(()), []),
        (ReleaseFilter((Scope(("checkout",)),)), ["3", "1"]),
        (ReleaseFilter((Scope(("check*",)),)), ["3", "2", "1"]),
        (ReleaseFilter((Scope(("checkout?",)),)), ["2"]),
        (ReleaseFilter((Scope(("CHECK*",)),)), []),
        (ReleaseFilter((Scope(("check[o]*",)),)), []),
        (ReleaseFilter((Scope(("check_ut",)),)), []),
        (ReleaseFilter((Scope(("check_u*",)),)), []),
        (ReleaseFilter((Scope(("check%*",)),)), []),
        (ReleaseFilter((Scope(("search",)), Scope(("*",), ("stage",)))), ["4", "3"]),
        (ReleaseFilter((Scope(("*",), ("prod",)),), environment="stage"), []),
        (ReleaseFilter((Scope(),), service="search"), ["4"]),
        (ReleaseFilter((Scope(),), environment="stage"), ["3"]),
        (ReleaseFilter((Scope(),), artifact_digest=sha("same")), ["4", "1"]),
        (ReleaseFilter((Scope(("search",)),), artifact_digest=sha("same")), ["4"]),
    ],
)
async def test_a_list_shows_what_the_filter_and_the_scopes_say(
    store: SQLStore, wanted: ReleaseFilter, expected: list[str]
) -> None:
    await put(
        store,
        a_release("1", content="same"),
        a_release("2", service="checkout2"),
        a_release("3", environment="stage"),
        a_release("4", service="search", content="same"),
    )
    assert await names(store, wanted) == expected


async def test_an_attempt_is_open_until_it_is_put_with_its_end(store: SQLStore) -> None:
    release = a_release()
    await put(store, release)
    open_one = attempt(release, 1, 0)
    await rolled_out(store, release, open_one)
    assert await store.read(TENANT, lambda reader: reader.open_attempts("checkout", "prod")) == (open_one,)
    assert await store.read(TENANT, lambda reader: reader.open_attempts("checkout", "stage")) == ()
    ended = attempt(release, 1, 0, "PASSED")
    await rolled_out(store, release, ended)
    assert await store.read(TENANT, lambda reader: reader.open_attempts("checkout", "prod")) == ()
    assert await store.read(TENANT, lambda reader: reader.find_attempt(ended.name)) == ended
    assert await store.read(TENANT, lambda reader: reader.attempts(release.name)) == (ended,)
    assert await store.read(TENANT, lambda reader: reader.find_attempt(f"{release.name}/attempts/2")) is None


async def test_attempts_are_in_the_order_of_their_numbers(store: SQLStore) -> None:
    release = a_release()
    made = [attempt(release, n, n, "ROLLED_BACK") for n in (1, 2, 10)]
    await put(store, release)
    await rolled_out(store, release, *reversed(made))
    assert await store.read(TENANT, lambda reader: reader.attempts(release.name)) == tuple(made)


async def test_a_latch_stands_on_its_digests(store: SQLStore) -> None:
    digest = a_release().identity.content_digest

    def act(tx: Transaction) -> None:
        tx.put_latch(digest, latch("01A"))
        tx.put_latch(digest, latch("01B", "rollback"))
        tx.emit(FeedEvent("latched", "", (f"digests:{digest}",)))

    await store.write(TENANT, act)
    found = await store.read(TENANT, lambda reader: reader.latches(digest))
    assert found == (latch("01A"), latch("01B", "rollback"))
    assert await store.read(TENANT, lambda reader: reader.latches(sha("other"))) == ()
    assert (await loaded(store, a_release())).latches == found


async def test_the_first_release_of_a_place_is_first(store: SQLStore) -> None:
    first, elsewhere = a_release("1"), a_release("1", environment="stage")
    await put(store, first, elsewhere)
    await rolled_out(store, elsewhere, attempt(elsewhere, 1, 0, "PASSED"))
    await rolled_out(store, first, attempt(first, 1, 1, "ROLLED_BACK"))
    case = await loaded(store, first)
    assert (case.release.is_first, case.release.previous, case.release.is_restore) == (True, "", False)
    assert case.rollback_target == ""


async def test_the_previous_release_is_the_one_whose_rollout_started_last(store: SQLStore) -> None:
    one, two, three = a_release("1"), a_release("2"), a_release("3")
    await put(store, one, two, three)
    await rolled_out(store, one, attempt(one, 1, 0, "PASSED"), attempt(one, 2, 5, "ROLLED_BACK"))
    await rolled_out(store, two, attempt(two, 1, 3, "PASSED"))
    case = await loaded(store, three)
    assert (case.release.previous, case.release.is_first) == (one.name, False)
    assert (await loaded(store, one)).release.previous == two.name


async def test_the_rollback_target_passed_here_differs_and_is_not_latched(store: SQLStore) -> None:
    one, two, three, same, bad = (
        a_release("1"),
        a_release("2"),
        a_release("3"),
        a_release("4", content="5"),
        a_release("5"),
    )
    await put(store, one, two, three, same, bad)
    await rolled_out(store, one, attempt(one, 1, 0, "PASSED"))
    await rolled_out(store, two, attempt(two, 1, 1, "PASSED"))
    await rolled_out(store, three, attempt(three, 1, 2, "ROLLED_BACK"))
    await rolled_out(store, same, attempt(same, 1, 3, "PASSED"))
    assert (await loaded(store, bad)).rollback_target == two.name
    digest = two.identity.content_digest

    def act(tx: Transaction) -> None:
        tx.put_latch(digest, latch("01C"))
        tx.emit(FeedEvent("latched", "", ()))

    await store.write(TENANT, act)
    assert (await loaded(store, bad)).rollback_target == one.name


async def test_a_rollback_target_is_found_behind_many_failed_rollouts(store: SQLStore) -> None:
    good, bad = a_release("1"), a_release("2")
    await put(store, good, bad)
    await rolled_out(store, good, attempt(good, 1, 0, "PASSED"))
    await rolled_out(store, bad, *(attempt(bad, n, n, "ROLLED_BACK") for n in range(1, 80)))
    case = await loaded(store, bad)
    assert (case.rollback_target, case.release.previous) == (good.name, good.name)


async def test_a_release_with_the_digests_of_one_that_passed_restores(store: SQLStore) -> None:
    good, again, elsewhere = (
        a_release("1", content="same"),
        a_release("1-again", content="same"),
        a_release("1-again", content="same", environment="stage"),
    )
    await put(store, good, again, elsewhere)
    await rolled_out(store, good, attempt(good, 1, 0, "PASSED"))
    assert (await loaded(store, again)).release.is_restore
    assert not (await loaded(store, good)).release.is_restore
    assert not (await loaded(store, elsewhere)).release.is_restore


async def test_a_release_restores_under_its_own_name_once_another_was_begun(store: SQLStore) -> None:
    good, same, other = a_release("1", content="x"), a_release("2", content="x"), a_release("3")
    await put(store, good, same, other)
    await rolled_out(store, other, attempt(other, 1, 0, "PASSED"))
    await rolled_out(store, good, attempt(good, 1, 1, "PASSED"))
    await rolled_out(store, same, attempt(same, 1, 2))
    assert not (await loaded(store, good)).release.is_restore
    await rolled_out(store, other, attempt(other, 2, 3))
    assert (await loaded(store, good)).release.is_restore


@pytest.mark.parametrize(
    ("outcome", "latched", "wrong"),
    [
        ("", False, True),
        ("ROLLED_BACK", False, True),
        ("FAILED", False, False),
        ("FAILED", True, True),
        ("CANCELLED", False, False),
        ("CANCELLED", True, True),
        ("EXPIRED_WITHOUT_DATA", True, True),
        ("EXPIRED_WITHOUT_DATA", False, False),
        ("SUPERSEDED", False, False),
        ("PASSED", False, False),
        # Its rollout was let go all the same, and ended well.
        ("PASSED", True, False),
    ],
)
async def test_one_goes_back_from_what_is_on_its_way_or_went_wrong_since_anything_passed(
    store: SQLStore, outcome: str, latched: bool, wrong: bool
) -> None:
    good, again, bad, elsewhere, last = (
        a_release("1", content="x"),
        a_release("1-again", content="x"),
        a_release("2"),
        a_release("2", environment="stage"),
        a_release("3"),
    )
    await put(store, good, again, bad, elsewhere, last)
    await rolled_out(store, good, attempt(good, 1, 0, "PASSED"))
    await rolled_out(store, elsewhere, attempt(elsewhere, 1, 1))
    assert (await loaded(store, again)).release.way_back_from == ""
    await rolled_out(store, bad, attempt(bad, 1, 2, outcome))
    if latched:
        digest = bad.identity.content_digest

        def act(tx: Transaction) -> None:
            tx.put_latch(digest, latch("01C"))
            tx.emit(FeedEvent("latched", "", ()))

        await store.write(TENANT, act)
    expected = bad.name if wrong else ""
    for one in (good, again):
        assert (await loaded(store, one)).release.way_back_from == expected
    # Nothing goes back from itself.
    assert (await loaded(store, bad)).release.way_back_from == ""
    # What failed without a latch hides nothing, and what passed since does.
    await rolled_out(store, last, attempt(last, 1, 3, "FAILED"))
    assert (await loaded(store, good)).release.way_back_from == expected
    await rolled_out(store, last, attempt(last, 2, 4, "PASSED"))
    assert (await loaded(store, good)).release.way_back_from == ""


async def test_once_one_has_gone_back_there_is_nothing_to_go_back_from(store: SQLStore) -> None:
    good, bad = a_release("1"), a_release("2")
    await put(store, good, bad)
    await rolled_out(store, good, attempt(good, 1, 0, "PASSED"))
    await rolled_out(store, bad, attempt(bad, 1, 1, "ROLLED_BACK"))
    await rolled_out(store, good, attempt(good, 2, 2))
    # While it goes back it still does.
    assert (await loaded(store, good)).release.way_back_from == bad.name
    await rolled_out(store, good, attempt(good, 2, 2, "PASSED"))
    assert (await loaded(store, good)).release.way_back_from == ""


@pytest.mark.parametrize(
    ("outcome", "overtaken"),
    [
        ("", True),
        ("PASSED", True),
        ("EXPIRED_WITHOUT_DATA", True),
        # What was taken back does not run.
        ("ROLLED_BACK", False),
        ("FAILED", False),
        ("CANCELLED", False),
        ("SUPERSEDED", False),
    ],
)
async def test_a_release_is_overtaken_by_a_later_one_that_runs(
    store: SQLStore, outcome: str, overtaken: bool
) -> None:
    passed, old, new = a_release("1"), a_release("2"), a_release("3")
    same, elsewhere = a_release("3-again", content="3"), a_release("2", environment="stage")
    for one in (passed, old, elsewhere, same, new):
        await put(store, one)
    await rolled_out(store, passed, attempt(passed, 1, 0, "PASSED"))
    await rolled_out(store, old, attempt(old, 1, 1, "FAILED"))
    assert (await loaded(store, old)).release.overtaken_by == ""
    await rolled_out(store, new, attempt(new, 1, 2, outcome))
    assert (await loaded(store, old)).release.overtaken_by == (new.name if overtaken else "")
    # The newest one, one of the same content, one of another place, and what passed here are not.
    for one in (new, same, elsewhere, passed):
        assert (await loaded(store, one)).release.overtaken_by == ""


async def test_earlier_attempts_are_those_of_the_same_digests_here(store: SQLStore) -> None:
    one, same, other = a_release("1", content="x"), a_release("2", content="x"), a_release("3")
    mine = [attempt(one, 1, 0, "ROLLED_BACK"), attempt(same, 1, 4)]
    await put(store, one, same, other)
    await rolled_out(store, one, mine[0])
    await rolled_out(store, other, attempt(other, 1, 2, "PASSED"))
    await rolled_out(store, same, mine[1])
    case = await loaded(store, same)
    assert case.attempt == mine[1]
    assert mine[0] in case.previous_attempts
    assert {one.name for one in case.previous_attempts} <= {one.name for one in mine}
