"""How far back a question sees: as far as some rule looks, and no further. On both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from release_passport.v1 import policy_pb2
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.case import MAX_SERIES
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.record import FeedEvent
from release_passport_server.ports.store import Transaction
from release_passport_server.wire.history import FEW, depths
from release_passport_server.wire.policy import spec_digest
from support.policy_specs import rule, spec
from support.store import (
    SECOND,
    START,
    TENANT,
    Question,
    a_release,
    an_item,
    put_item,
    put_release,
)

KIND = an_item().kind


def policy(revision: int, **fields: Any) -> PolicyDocument:
    """Return a policy with one rule about the kind of `an_item`."""
    made = spec(rules=[rule(needs=[{"kind": KIND, "sources": ["connector:*"]}], **fields)])
    return PolicyDocument("baseline", revision, spec_digest(made), made, "user:ann", START, START)


def put_policy(tx: Transaction, document: PolicyDocument) -> None:
    tx.put_policy(document)
    tx.emit(FeedEvent("policy", document.policy_id, ("tenant",)))


async def seen(store: SQLStore) -> int:
    """Return how many observations a question about the release sees."""
    question = Question(a_release())
    await store.judge(question)
    return len(question.seen[-1].evidence)


@pytest.fixture
async def observed(store: SQLStore) -> SQLStore:
    """Give a store with three observations of one series."""
    await store.write(TENANT, lambda tx: put_release(tx, a_release()))
    for n in range(3):
        await store.write(TENANT, lambda tx, n=n: put_item(tx, an_item(at=START + n * SECOND)))  # type: ignore[misc]
    return store


async def test_without_a_rule_that_looks_back_only_the_newest_observation_is_seen(observed: SQLStore) -> None:
    assert await seen(observed) == 1
    await observed.write(TENANT, lambda tx: put_policy(tx, policy(1)))
    assert await seen(observed) == 1


async def test_a_new_revision_that_looks_back_counts_for_the_next_question(observed: SQLStore) -> None:
    await observed.write(TENANT, lambda tx: put_policy(tx, policy(1)))
    assert await seen(observed) == 1
    await observed.write(TENANT, lambda tx: put_policy(tx, policy(2, settle="60s")))
    assert await seen(observed) == 3
    await observed.write(TENANT, lambda tx: put_policy(tx, policy(3)))
    assert await seen(observed) == 1


async def test_a_policy_that_was_taken_back_leaves_nothing_behind(observed: SQLStore) -> None:
    def fails(tx: Transaction) -> None:
        put_policy(tx, policy(1, settle="60s"))
        assert len(tx.active_policies()) == 1
        raise ValueError("not today")

    with pytest.raises(ValueError, match="not today"):
        await observed.write(TENANT, fails)
    # This one takes the revision that the other would have had.
    await observed.write(TENANT, lambda tx: put_policy(tx, policy(1)))
    assert await seen(observed) == 1


async def test_a_question_sees_the_policy_that_came_right_before_it(observed: SQLStore) -> None:
    question = Question(a_release())
    await asyncio.gather(
        observed.write(TENANT, lambda tx: put_policy(tx, policy(1, settle="60s"))), observed.judge(question)
    )
    assert len(question.seen[-1].evidence) == 3
    assert [one.revision for one in question.seen[-1].policies] == [1]


@pytest.mark.parametrize(
    ("fields", "depth"),
    [
        ({}, 1),
        ({"settle": "60s"}, MAX_SERIES),
        ({"stages": ["STAGE_WATCH"]}, FEW),
        ({"stages": ["STAGE_WATCH"], "failures": 1}, 1),
        ({"stages": ["STAGE_WATCH"], "failures": 13}, MAX_SERIES),
        ({"needs": [{"kind": KIND, "minSamples": 3}]}, FEW),
        ({"needs": [{"kind": KIND, "minSamples": 13}]}, MAX_SERIES),
        ({"needs": [{"kind": KIND, "minSamples": 1}]}, 1),
        ({"needs": [{"kind": "test_result"}]}, MAX_SERIES),
        ({"needs": [{"kind": "no_such_kind"}]}, 1),
    ],
)
def test_how_far_a_rule_looks_back(fields: dict[str, Any], depth: int) -> None:
    made: policy_pb2.PolicySpec = spec(rules=[rule(**({"needs": [{"kind": KIND}]} | fields))])
    assert max(depths([made]).values(), default=1) == depth
