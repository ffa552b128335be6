"""What the worker gives up is seen, tried again or discarded by people, and the log says who did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from release_passport.v1 import audit_service_pb2
from release_passport.v1 import job_service_pb2 as pb
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.domain.job import Timer
from support.calls import Caller, somebody
from support.server import real_server

REASON = "the receiver is gone and will not come back"
LEASE = timedelta(seconds=60)


@pytest_asyncio.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Caller]:
    async with real_server(tmp_path, worker={"enabled": False}) as running:
        yield Caller(running, running.token)


def jobs_of(admin: Caller) -> SQLJobs:
    store = admin.server.store
    return SQLJobs(store.aside, store.write)


async def given_up(admin: Caller, *keys: str, kind: str = "deliver") -> None:
    """Have jobs fail for good."""
    jobs, now = jobs_of(admin), datetime.now(UTC)
    for key in keys:
        await admin.server.store.write("default", lambda tx, key=key: tx.schedule(Timer(kind, key, now)))  # type: ignore[misc]
    for claim in await jobs.claim([kind], "one", most=10, lease=LEASE):
        await jobs.fail(claim, f"no answer about {claim.key}", None)


async def dead(caller: Caller, **page: object) -> list[str]:
    answer: pb.ListDeadJobsResponse = await caller("ListDeadJobs", pb.ListDeadJobsRequest(**page))  # type: ignore[arg-type]
    return [one.key for one in answer.jobs]


async def actions(admin: Caller) -> list[tuple[str, str]]:
    found = (await admin("ListAuditEntries", audit_service_pb2.ListAuditEntriesRequest())).entries
    return [(one.action, one.subject) for one in found if "DeadJob" in one.action]


async def test_they_are_listed_with_what_went_wrong_in_pages(admin: Caller) -> None:
    await given_up(admin, "a", "b/c", "d")
    first: pb.ListDeadJobsResponse = await admin("ListDeadJobs", pb.ListDeadJobsRequest(page_size=2))
    assert [(one.kind, one.key, one.error) for one in first.jobs] == [
        ("deliver", "a", "no answer about a"),
        ("deliver", "b/c", "no answer about b/c"),
    ]
    assert first.jobs[0].attempts == 1
    assert await dead(admin, page_size=2, page_token=first.next_page_token) == ["d"]


async def test_one_is_tried_again_as_a_new_one(admin: Caller) -> None:
    await given_up(admin, "a", "b")
    await admin("RetryDeadJob", pb.RetryDeadJobRequest(kind="deliver", key="b"))
    assert await dead(admin) == ["a"]
    (claim,) = await jobs_of(admin).claim(["deliver"], "two", most=10, lease=LEASE)
    assert (claim.key, claim.attempts) == ("b", 1)
    refused = await admin.refused("RetryDeadJob", pb.RetryDeadJobRequest(kind="deliver", key="b"))
    assert refused.code == "NOT_FOUND"


async def test_one_is_discarded_with_a_reason_and_the_log_says_so(admin: Caller) -> None:
    await given_up(admin, "a")
    request = pb.DiscardDeadJobRequest(kind="deliver", key="a", reason=REASON, request_id="run-1")
    first = await admin("DiscardDeadJob", request)
    assert await dead(admin) == []
    again = await admin("DiscardDeadJob", request)
    assert again.revision >= first.revision
    assert await actions(admin) == [("DiscardDeadJob", "deadJobs/deliver/a")]
    assert not await jobs_of(admin).claim(["deliver"], "two", most=10, lease=LEASE)


async def test_who_reads_the_log_sees_them_and_changes_nothing(admin: Caller) -> None:
    await given_up(admin, "a")
    auditor = await somebody(admin, "user:eve", "auditor")
    assert await dead(auditor) == ["a"]
    refused = await auditor.refused("RetryDeadJob", pb.RetryDeadJobRequest(kind="deliver", key="a"))
    assert refused.code == "PERMISSION_DENIED"
    viewer = await somebody(admin, "user:bob", "viewer")
    assert (await viewer.refused("ListDeadJobs", pb.ListDeadJobsRequest())).code == "PERMISSION_DENIED"
