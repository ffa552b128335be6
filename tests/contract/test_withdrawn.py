"""What a rollout stands on and somebody took back since: evidence and people's acts alike. On both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.acts import Exemption, Override, Vote, Waiver
from release_passport_server.domain.record import FeedEvent
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.store import Transaction
from release_passport_server.services.cases import case_key
from support.store import START, TENANT, SetClock, a_release, decision, put_release

LATER = START + timedelta(days=1)
RELEASE = a_release()
PLACE = (RELEASE.identity.service, RELEASE.identity.environment)
ULIDS = [f"01JQ000000000000000000000{number}" for number in range(5)]

VOTE = Vote(
    name=f"{RELEASE.name}/approvals/{ULIDS[0]}",
    release=RELEASE.name,
    release_digest=RELEASE.identity.digest,
    policy="policy",
    rule="rule",
    rule_digest="sha256:r",
    approves=True,
    group="sre",
    voter="user:ada",
    voter_groups=(),
    voter_identities=(),
    reason="",
    seen=(),
    attempt="",
    decision="",
    create_time=START,
    expire_time=LATER,
)
WAIVER = Waiver(
    f"tenants/{TENANT}/waivers/{ULIDS[1]}",
    *PLACE,
    RELEASE.name,
    *(
        "policy",
        "rule",
        "sha256:r",
        "EXPECTATION_FAILED",
        "",
        "",
        "CVE-1",
        "user:ada",
        "SEC-7",
        "",
        "user:ada",
    ),
    create_time=START,
    expire_time=LATER,
)
WIDE = replace(WAIVER, name=f"tenants/{TENANT}/waivers/{ULIDS[2]}", release="")
OVERRIDE = Override(
    f"{RELEASE.name}/overrides/{ULIDS[3]}",
    *(*PLACE, RELEASE.name, RELEASE.identity.digest, (), "user:ada", "INC-7", "", ""),
    create_time=START,
    expire_time=LATER,
)
EXEMPTION = Exemption(
    f"{RELEASE.name}/freezeExemptions/{ULIDS[4]}",
    *("tenants/acme/freezes/f", RELEASE.name, RELEASE.identity.digest, "", "OPS-1", "user:ada"),
    create_time=START,
    expire_time=LATER,
)
ACTS = (VOTE, WAIVER, WIDE, OVERRIDE, EXEMPTION)


async def started(store: SQLStore) -> None:
    """Start a rollout on a decision that rests on every kind of act."""
    ground = decision(RELEASE, Verdict.ALLOW, START, considered=0, evidence=[one.name for one in ACTS])

    def act(tx: Transaction) -> None:
        put_release(tx, RELEASE)
        # Times are the database's own.
        for one in ACTS:
            tx.put_act(replace(one, create_time=tx.now))
        tx.put_decision(ground)
        tx.put_attempt(RELEASE, Attempt(f"{RELEASE.name}/attempts/1", 1, ground.name, START, "sa:cd"))
        tx.emit(FeedEvent("test", RELEASE.name, (f"release:{RELEASE.name}",)))

    await store.write(TENANT, act)


async def withdrawn(store: SQLStore, release: Release = RELEASE) -> tuple[str, ...]:
    """Return what a rollout stands on no longer."""

    def act(tx: Transaction) -> tuple[str, ...]:
        return tx.load_case(case_key(release, tx.attempts(release.name)), tx.now).ground_withdrawn

    return (await store.write(TENANT, act)).value


@pytest.mark.parametrize("ended", ACTS, ids=lambda act: type(act).__name__)
async def test_an_act_that_was_ended_carries_no_rollout(store: SQLStore, ended: Any) -> None:
    await started(store)
    assert await withdrawn(store) == ()
    before = (
        await store.write(TENANT, lambda tx: tx.find_act(type(ended), ended.name.rpartition("/")[2]))
    ).value
    assert before is not None
    await store.write(TENANT, lambda tx: tx.put_act(replace(before, end_time=tx.now)))
    assert await withdrawn(store) == (ended.name,)


async def test_time_ends_what_stands_on_an_override_after_four_hours_and_nothing_else(
    sqlite_store: SQLStore, clock: SetClock
) -> None:
    await started(sqlite_store)
    clock.time += timedelta(hours=4) - timedelta(seconds=1)
    assert await withdrawn(sqlite_store) == ()
    clock.time += timedelta(days=2)
    assert await withdrawn(sqlite_store) == (OVERRIDE.name,)
