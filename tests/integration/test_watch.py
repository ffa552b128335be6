"""Who watches decisions hears of every change, in order, and of nothing that is not theirs; each guarantee by name."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from grpc import aio

from release_passport.v1 import access_pb2, access_service_pb2, evidence_pb2, watch_pb2
from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server.domain.errors import Conflict
from release_passport_server.domain.watch import DecisionChange, Happening, Mark, Subscription, Watched
from release_passport_server.services import tail, watching
from support.calls import Caller, refusal, somebody
from support.cli_process import Shell
from support.server import RealServer, real_server
from support.shop import OURS, decided, opened, released, scanned, told
from support.watched import (
    EVERY,
    LATEST,
    NONE,
    Stream,
    changes,
    ended,
    live,
    place,
    require_bookmarkable,
    require_ordered,
    require_reliable,
    watch,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = Watched((Subscription(),))
CHANGED, STOOD = watch_pb2.DECISION_EVENT_KIND_CHANGED, watch_pb2.DECISION_EVENT_KIND_SNAPSHOT
BAD = ("CVE-2026-1", "critical", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    sections: dict[str, Any] = {"worker": {"enabled": False}, "limits": {"watch_of_principal": 20}}
    async with real_server(tmp_path_factory.mktemp("watched"), **sections) as running:
        await opened(Caller(running, running.token))
        yield running


@pytest.fixture
def admin(server: RealServer) -> Caller:
    return Caller(server, server.token)


async def turned(caller: Caller, version: str, times: int) -> str:
    """Decide a release so often, each time with another outcome, and return its name."""
    name = await released(caller, version)
    for number in range(times):
        await scanned(caller, version, *((BAD,) if number % 2 else ()))
        await decided(caller, name)
    return name


async def truth(caller: Caller) -> list[tuple[int, int]]:
    """Return the places of all events of decisions that the store has."""
    part = await caller.server.store.read("default", lambda reader: reader.feed_after(0, 100_000))
    return [(one.revision, one.index) for one in part.changes]


def only(name: str) -> dict[str, Any]:
    return {"subscriptions": [watch_pb2.Subscription(release=name)]}


async def test_what_stands_comes_first_and_then_every_change(admin: Caller) -> None:
    name = await turned(admin, "1.0.0", 1)
    stream = watch(admin, **only(name))
    [stood] = await stream.decisions(1)
    assert (stood.decision.kind, stood.decision.decision.release) == (STOOD, name)
    assert (await stream.until("snapshot_end")).snapshot_end.decisions == 1
    await scanned(admin, "1.0.0", BAD)
    newest = await decided(admin, name)
    [changed] = await stream.decisions(1)
    assert (changed.decision.kind, changed.decision.decision) == (CHANGED, newest)
    stream.leave()


async def test_a_release_that_is_not_decided_yet_can_be_watched(admin: Caller) -> None:
    name = f"{OURS.release.rpartition('/')[0]}/1.1.0"
    stream = watch(admin, **only(name))
    assert (await stream.until("snapshot_end")).snapshot_end.decisions == 0
    assert await turned(admin, "1.1.0", 1) == name
    assert (await stream.until("decision")).decision.decision.release == name
    stream.leave()


async def test_ordered_and_reliable_every_change_comes_once_in_the_order_of_revisions(admin: Caller) -> None:
    before = len(await truth(admin))
    stream = await live(admin)
    await asyncio.gather(*(turned(admin, f"2.{number}.0", 3) for number in range(6)))
    expected = (await truth(admin))[before:]
    await stream.decisions(len(expected))
    require_ordered(stream.messages)
    require_reliable(stream.messages, expected, every=True)
    stream.leave()


async def test_latest_skips_only_what_a_newer_decision_of_the_release_replaced() -> None:
    inbox = tail.Inbox(ALL, every=False)
    for revision, release in enumerate("abacaba", start=10):
        inbox.put(*change_of(revision, release))
    taken = []
    while (one := inbox.take()) is not None:
        taken.append((one[0].revision, one[0].release))
    assert taken == [(13, "c"), (15, "b"), (16, "a")]


async def test_bookmarkable_a_heartbeat_comes_after_all_that_it_vouches_for(
    admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_passport_server.wire.watch.LEAST_HEARTBEAT", 0.001)
    stream = await live(admin, heartbeat_interval=Duration(nanos=1))
    await asyncio.gather(*(turned(admin, f"3.{number}.0", 4) for number in range(4)))
    expected = await truth(admin)
    while (
        stream.messages[-1].revision < expected[-1][0]
        or stream.messages[-1].WhichOneof("event") != "heartbeat"
    ):
        await stream.next()
    assert len([one for one in stream.messages if one.WhichOneof("event") == "heartbeat"]) > 3
    require_ordered(stream.messages)
    require_bookmarkable(stream.messages, expected)
    stream.leave()


@pytest.mark.parametrize("delivery", [EVERY, LATEST])
async def test_resumable_a_stream_goes_on_behind_any_message(admin: Caller, delivery: int) -> None:
    first = await live(admin, delivery=delivery)
    name = await turned(admin, f"4.{delivery}.0", 5)
    newest = (await truth(admin))[-1]
    while not changes(first.messages) or place(first.messages[-1]) != newest:
        await first.next()
    first.leave()
    for position, message in enumerate(first.messages):
        again = watch(admin, resume_token=message.resume_token, delivery=delivery)
        rest = [place(one) for one in changes(first.messages[position + 1 :])]
        if delivery == EVERY:
            assert [place(one) for one in await again.decisions(len(rest))] == rest
        elif rest:
            [last] = await again.decisions(1)
            assert (place(last), last.decision.decision.release) == (newest, name)
        again.leave()


async def test_a_snapshot_that_was_not_complete_begins_anew(admin: Caller) -> None:
    await turned(admin, "5.0.0", 1)
    await turned(admin, "5.1.0", 1)
    first = watch(admin)
    [one] = await first.decisions(1)
    assert one.decision.kind == STOOD
    first.leave()
    again = watch(admin, resume_token=one.resume_token)
    assert (await again.until("decision")).decision.kind == STOOD
    await again.until("snapshot_end")
    again.leave()


async def test_read_your_writes_a_stream_begins_at_or_behind_min_revision(admin: Caller) -> None:
    name = await released(admin, "6.0.0")
    answer = await admin("Evaluate", pb.EvaluateRequest(release=name))
    stream = watch(admin, initial_state=NONE, min_revision=answer.revision)
    assert (await stream.until("heartbeat")).revision >= answer.revision
    stream.leave()


async def test_a_revision_that_the_store_does_not_get_is_another_history(
    admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MIN_REVISION_SECONDS", 0.2)
    assert await broken(watch(admin, min_revision=10**9)) == "HISTORY_DIVERGED"


async def test_a_token_of_another_history_is_refused(admin: Caller) -> None:
    stream = await live(admin)
    await turned(admin, "7.0.0", 1)
    await stream.decisions(1)
    stream.leave()
    content = bytearray(base64.urlsafe_b64decode(stream.token + "=" * (-len(stream.token) % 4)))
    for spoiled, expected in (
        (content[:-1] + bytes([content[-1] ^ 1]), "HISTORY_DIVERGED"),
        (content[:20] + bytes([content[20] ^ 1]) + content[21:], "HISTORY_DIVERGED"),
        (content[:21] + (2**40).to_bytes(8, "big") + content[29:], "HISTORY_DIVERGED"),
        (content[:-1], "INVALID_FIELDS"),
        (b"\x02" + content[1:], "INVALID_FIELDS"),
    ):
        token = base64.urlsafe_b64encode(bytes(spoiled)).rstrip(b"=").decode()
        assert await broken(watch(admin, resume_token=token)) == expected
    assert await broken(watch(admin, resume_token="no token")) == "INVALID_FIELDS"


async def test_what_is_older_than_the_window_is_compacted(admin: Caller) -> None:
    store = admin.server.store
    stream = await live(admin)
    await turned(admin, "7.1.0", 1)
    await stream.decisions(1)
    head = (await store.read("default", lambda reader: reader.feed_head())).revision
    await store.trim_feed("default", timedelta(hours=1))
    assert await store.read("default", lambda reader: reader.feed_oldest()) == 1
    # In the future all of it is old: the newest revision alone is kept.
    await store.trim_feed("default", timedelta(hours=-1))
    assert await store.read("default", lambda reader: reader.feed_oldest()) == head
    assert await broken(watch(admin, resume_token=stream.messages[0].resume_token)) == "REVISION_COMPACTED"
    # Who was behind nothing goes on, and so does an open stream.
    await turned(admin, "7.2.0", 1)
    again = watch(admin, resume_token=stream.token, delivery=EVERY)
    assert place((await again.decisions(1))[0]) == place((await stream.decisions(1))[0])
    for one in (stream, again):
        one.leave()


async def test_a_token_belongs_to_its_subscriptions(admin: Caller) -> None:
    stream = await live(admin)
    other = watch(admin, resume_token=stream.token, subscriptions=[watch_pb2.Subscription(service="shop*")])
    assert await broken(other) == "RESUME_TOKEN_MISMATCH"
    stream.leave()


async def test_nobody_hears_of_what_they_may_not_read(admin: Caller) -> None:
    scoped = await somebody(admin, "user:elsewhere")
    binding = access_pb2.RoleBinding(principal="user:elsewhere", role="viewer", services=["billing"])
    await admin("CreateRoleBinding", access_service_pb2.CreateRoleBindingRequest(role_binding=binding))
    name = await turned(admin, "8.0.0", 1)
    assert await broken(watch(scoped, **only(name))) == "ACCESS_DENIED"
    stream, seen = await live(scoped), await live(admin)
    await turned(admin, "8.1.0", 1)
    await seen.decisions(1)
    snapshot = watch(scoped)
    assert (await snapshot.until("snapshot_end")).snapshot_end.decisions == 0
    assert not changes(stream.messages)
    for one in (stream, seen, snapshot):
        one.leave()


async def test_who_loses_the_right_is_cut_off(admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_passport_server.wire.watch.LEAST_HEARTBEAT", 0.01)
    viewer = await somebody(admin, "user:leaver", "viewer")
    stream = await live(viewer, heartbeat_interval=Duration(nanos=1))
    listed = await admin("ListRoleBindings", access_service_pb2.ListRoleBindingsRequest())
    [name] = [one.name for one in listed.role_bindings if one.principal == "user:leaver"]
    await admin("DeleteRoleBinding", access_service_pb2.DeleteRoleBindingRequest(name=name))
    assert await broken(stream) == "ACCESS_DENIED"


async def test_who_reads_too_slowly_is_cut_off_from_every_and_not_from_latest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail, "MOST_PENDING", 2)
    inbox = tail.Inbox(ALL, every=True)
    for revision in (1, 2, 3):
        inbox.put(*change_of(revision, "a"))
    assert isinstance(inbox.failure, Conflict)
    assert inbox.failure.reason == "SLOW_CONSUMER"
    latest = tail.Inbox(ALL, every=False)
    for revision in range(1, 50):
        latest.put(*change_of(revision, "a"))
    assert (latest.failure, len(latest)) == (None, 1)


async def test_one_principal_has_only_so_many_streams(admin: Caller) -> None:
    watcher = await somebody(admin, "user:hoarder", "viewer")
    streams = [await live(watcher) for _ in range(20)]
    assert await broken(watch(watcher)) == "TOO_MANY_STREAMS"
    streams.pop().leave()
    # The server hears of who has left in a moment.
    while await broken_or_open(other := watch(watcher, initial_state=NONE)) == "TOO_MANY_STREAMS":
        pass
    for one in (*streams, other):
        one.leave()


async def test_an_old_stream_says_goodbye(admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LEAST_LIFE_SECONDS", 0.0)
    monkeypatch.setattr(watching, "MOST_LIFE_SECONDS", 0.0)
    stream = watch(admin, initial_state=NONE)
    said = (await stream.until("goodbye")).goodbye
    assert said.reason == watch_pb2.GOODBYE_REASON_REBALANCE
    assert timedelta(0) < said.reconnect_after.ToTimedelta() < timedelta(minutes=1)
    assert (await ended(stream)).name == "OK"


async def test_a_server_that_ends_says_goodbye_to_everybody_before_it_goes(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with real_server(tmp_path_factory.mktemp("ending"), worker={"enabled": False}) as running:
        caller = await opened(Caller(running, running.token))
        streams = [await live(caller) for _ in range(40)]
        ending = asyncio.create_task(running.process.stop())
        said = [(await stream.until("goodbye")).goodbye for stream in streams]
        assert {one.reason for one in said} == {watch_pb2.GOODBYE_REASON_DRAINING}
        assert [(await ended(stream)).name for stream in streams] == ["OK"] * 40
        assert await ending


async def test_what_is_wrong_with_a_request_is_said_at_once(admin: Caller) -> None:
    wrong = pb.WatchDecisionRequest(
        subscriptions=[
            watch_pb2.Subscription(release=OURS.release, service="a"),
            watch_pb2.Subscription(service="a[b"),
        ],
        min_revision=-1,
        client_id="a\nb",
    )
    found = await admin.refused("WatchDecision", wrong)
    assert found.reason == "INVALID_FIELDS"
    assert set(found.fields) >= {"subscriptions[0]", "subscriptions[1].service", "min_revision", "client_id"}
    many = [watch_pb2.Subscription(service=f"s-{number}") for number in range(257)]
    found = await admin.refused("WatchDecision", pb.WatchDecisionRequest(subscriptions=many))
    assert found.fields == ("subscriptions",)


async def test_evidence_that_turns_a_verdict_is_told_without_anybody_asking(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with real_server(tmp_path_factory.mktemp("reacting")) as running:
        caller = await opened(Caller(running, running.token))
        name = await turned(caller, "1.0.0", 1)
        stream = await live(caller)
        failed = evidence_pb2.TestResult(suite="unit", passed=1, failed=1, errored=0)
        await told(caller, "1.0.0", evidence_pb2.EvidenceFacts(test_result=failed))
        [changed] = await stream.decisions(1)
        assert (changed.decision.kind, changed.decision.decision.release) == (CHANGED, name)
        stream.leave()


def change_of(revision: int, release: str) -> tuple[DecisionChange, Mark]:
    change = DecisionChange(Happening.CHANGED, revision, 0, release, "shop", "prod", b"")
    return change, Mark(1, revision, b"12345678")


async def test_the_command_line_shows_what_stands_and_what_changes(admin: Caller, tmp_path: Path) -> None:
    name = await turned(admin, "9.0.0", 1)
    shell = Shell(tmp_path, f"127.0.0.1:{admin.server.process.grpc_port}", admin.token or "")
    kept = tmp_path / "token"
    words = ("watch", "--release", name, "--position-file", str(kept), "--every", "-o", "json")
    shown = await asyncio.to_thread(shell, *words, "--limit", "1")
    assert json.loads(shown.stdout)["news"] == "stood"
    # Of a snapshot that was not shown to its end the token begins anew; of one that was, it goes on.
    kept.write_text((await live(admin, **only(name))).token, encoding="ascii")
    await scanned(admin, "9.0.0", BAD)
    newest = await decided(admin, name)
    said = json.loads((await asyncio.to_thread(shell, *words, "--limit", "1")).stdout)
    assert (said["news"], said["decision"]["name"]) == ("changed", newest.name)


async def broken(stream: Stream) -> str:
    """Return the reason that a stream ends with."""

    async def read() -> None:
        while True:
            await stream.next()

    with pytest.raises(aio.AioRpcError) as caught:
        await read()
    return refusal(caught.value).reason


async def broken_or_open(stream: Stream) -> str:
    """Return the reason that a stream ends with before it says anything, empty where it is open."""
    try:
        await stream.next()
    except aio.AioRpcError as error:
        return refusal(error).reason
    return ""
