"""Who did what about a release, and every way in which duties were not separate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from release_passport_server.domain.acts import Exemption, Override, Vote, Waiver
from release_passport_server.domain.duties import ConflictCode, Duty, History, duties_of
from release_passport_server.domain.release import Artifact, Attempt, Release, ReleaseIdentity
from support.builders import NOW, item

NAME = "tenants/acme/services/checkout/environments/prod/releases/1.4.2"
SOON = NOW + timedelta(days=1)


def release(creator: str = "sa:ci", authors: tuple[str, ...] = ("user:dev",)) -> Release:
    made = ReleaseIdentity(
        "checkout", "prod", "1.4.2", "4f6c", (Artifact("app", "sha256:" + "a" * 64),), authors=authors
    )
    return Release(NAME, made, creator, NOW)


def vote(voter: str = "user:ada", *, approves: bool = True, identities: tuple[str, ...] = ()) -> Vote:
    return Vote(
        name=f"{NAME}/approvals/{voter}",
        release=NAME,
        release_digest="d",
        policy="p",
        rule="r",
        rule_digest="d",
        approves=approves,
        group="sre" if approves else "",
        voter=voter,
        voter_groups=(),
        voter_identities=identities,
        reason="",
        seen=(),
        attempt="",
        decision="",
        create_time=NOW,
        expire_time=SOON,
    )


def waiver(requester: str = "user:ada", granter: str = "user:grace", **more: Any) -> Waiver:
    made = Waiver(
        name="tenants/acme/waivers/w",
        service="checkout",
        environment="prod",
        release=NAME,
        policy="p",
        rule="r",
        rule_digest="d",
        finding_reason="EXPECTATION_FAILED",
        artifact="",
        key="",
        fingerprint="",
        owner="shop",
        ticket="T-1",
        reason="",
        requester=requester,
        create_time=NOW,
        expire_time=SOON,
        granter=granter,
        grant_time=NOW if granter else None,
    )
    return replace(made, **more)


def override(principal: str = "user:ada", reviewer: str = "user:grace", **more: Any) -> Override:
    made = Override(
        name=f"{NAME}/overrides/o",
        service="checkout",
        environment="prod",
        release=NAME,
        release_digest="d",
        overrules=(),
        principal=principal,
        ticket="T-1",
        reason="",
        decision="",
        create_time=NOW,
        expire_time=SOON,
        reviewer=reviewer,
        review_time=NOW if reviewer else None,
    )
    return replace(made, **more)


def exemption(creator: str = "user:ada") -> Exemption:
    return Exemption(f"{NAME}/freezeExemptions/e", "f", NAME, "d", "", "T-1", creator, NOW, SOON)


def attempt(starter: str) -> Attempt:
    return Attempt(f"{NAME}/attempts/1", 1, "g", NOW, starter)


def codes(history: History, later: timedelta = timedelta(0)) -> list[str]:
    return [one.code.value for one in duties_of(history, NOW + later).conflicts]


WRONG: dict[str, Callable[[], tuple[History, list[ConflictCode]]]] = {
    "the creator approved": lambda: (
        History(release("user:ada"), votes=(vote("user:ada"),)),
        [ConflictCode.AUTHOR_APPROVED],
    ),
    "a committer approved, in other letters": lambda: (
        History(release(authors=("user:Ada",)), votes=(vote("user:ada"),)),
        [ConflictCode.AUTHOR_APPROVED],
    ),
    "a committer approved under another name": lambda: (
        History(release(authors=("ada@acme.example",)), votes=(vote(identities=("ada@acme.example",)),)),
        [ConflictCode.AUTHOR_APPROVED],
    ),
    "who submitted evidence approved": lambda: (
        History(release(), evidence=(item(source="user:ada"),), votes=(vote("user:ada"),)),
        [ConflictCode.AUTHOR_APPROVED],
    ),
    "who started it approved": lambda: (
        History(release(), attempts=(attempt("user:ada"),), votes=(vote("user:ada"),)),
        [ConflictCode.AUTHOR_APPROVED],
    ),
    "an author waived": lambda: (
        History(release(), waivers=(waiver(granter="user:dev"),)),
        [ConflictCode.AUTHOR_WAIVED],
    ),
    "an author exempted": lambda: (
        History(release(), exemptions=(exemption("user:dev"),)),
        [ConflictCode.AUTHOR_EXEMPTED],
    ),
    "who asked for a waiver granted it": lambda: (
        History(release(), waivers=(waiver(granter="user:ada"),)),
        [ConflictCode.GRANTED_OWN_WAIVER],
    ),
    "who asked for a waiver granted it under another name": lambda: (
        History(
            release(), waivers=(waiver(requester_identities=("gh:ada",), granter_identities=("gh:ada",)),)
        ),
        [ConflictCode.GRANTED_OWN_WAIVER],
    ),
    "who asked for a waiver approved": lambda: (
        History(release(), votes=(vote("user:ada"),), waivers=(waiver(),)),
        [ConflictCode.REQUESTER_APPROVED],
    ),
    "who overrode reviewed it": lambda: (
        History(release(), overrides=(override(reviewer="user:ada"),)),
        [ConflictCode.REVIEWED_OWN_OVERRIDE],
    ),
    "who recorded it reviewed it": lambda: (
        History(
            release(), overrides=(override("user:bob", "user:ada", recorder="user:ada", retrospective=True),)
        ),
        [ConflictCode.REVIEWED_OWN_OVERRIDE],
    ),
    "a machine approved": lambda: (
        History(release(), votes=(vote("sa:bot"),)),
        [ConflictCode.MACHINE_DECIDED],
    ),
    "a machine rejected": lambda: (
        History(release(), votes=(vote("sa:bot", approves=False),)),
        [ConflictCode.MACHINE_DECIDED],
    ),
    "a machine waived": lambda: (
        History(release(), waivers=(waiver(granter="sa:bot"),)),
        [ConflictCode.MACHINE_DECIDED],
    ),
    "a machine overrode": lambda: (
        History(release(), overrides=(override("sa:bot"),)),
        [ConflictCode.MACHINE_DECIDED],
    ),
    "a machine reviewed": lambda: (
        History(release(), overrides=(override(reviewer="sa:bot"),)),
        [ConflictCode.MACHINE_DECIDED],
    ),
    "a machine exempted": lambda: (
        History(release(), exemptions=(exemption("sa:bot"),)),
        [ConflictCode.MACHINE_DECIDED],
    ),
    "nobody knows who made it": lambda: (
        History(release(authors=()), votes=(vote(),)),
        [ConflictCode.AUTHORS_UNKNOWN],
    ),
    "nobody reviewed": lambda: (
        History(release(), overrides=(override(reviewer=""),)),
        [ConflictCode.OVERRIDE_UNREVIEWED],
    ),
    "a waiver is orphaned": lambda: (
        History(release(), waivers=(waiver(),), orphaned=frozenset({"tenants/acme/waivers/w"})),
        [ConflictCode.WAIVER_ORPHANED],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_conflict_is_found_alone(name: str) -> None:
    history, wanted = WRONG[name]()
    assert codes(history) == wanted


def test_every_conflict_has_a_history_here() -> None:
    assert {code for make in WRONG.values() for code in make()[1]} == set(ConflictCode)


FINE: dict[str, History] = {
    "nothing was decided": History(release(authors=())),
    "people took turns": History(
        release(),
        attempts=(attempt("sa:deploy"),),
        evidence=(item(source="sa:ci"), item(2, source="user:tess")),
        votes=(vote(), vote("user:bob", approves=False)),
        waivers=(waiver("user:wanda"),),
        overrides=(override("user:dev"),),
        exemptions=(exemption(),),
    ),
    "a pipeline asked for a waiver": History(release(), waivers=(waiver("sa:ci"),)),
    "an author rejected": History(release(), votes=(vote("user:dev", approves=False),)),
    "an author granted a waiver for the whole service, which does not count here": History(
        release(), waivers=(waiver(granter="user:dev", release=""),)
    ),
    "who was refused a waiver approved": History(release(), votes=(vote(),), waivers=(waiver(granter=""),)),
    "a person told what a machine had done by hand": History(
        release(), overrides=(override("sa:deploy", retrospective=True, recorder="user:ada"),)
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_separate_duties_are_no_conflict(name: str) -> None:
    assert codes(FINE[name]) == []


def test_every_duty_is_told_in_order_with_its_record() -> None:
    history = replace(
        FINE["people took turns"], overrides=(override("user:dev", retrospective=True, recorder="user:rae"),)
    )
    told = duties_of(history, NOW)
    assert [one.duty for one in told.done] == list(Duty)
    assert {one.duty: one.principal for one in told.done} == {
        Duty.CREATED: "sa:ci",
        Duty.AUTHORED: "user:dev",
        Duty.SUBMITTED: "user:tess",
        Duty.STARTED: "sa:deploy",
        Duty.APPROVED: "user:ada",
        Duty.REJECTED: "user:bob",
        Duty.WAIVER_REQUESTED: "user:wanda",
        Duty.WAIVER_GRANTED: "user:grace",
        Duty.OVERRODE: "user:dev",
        Duty.RECORDED: "user:rae",
        Duty.REVIEWED: "user:grace",
        Duty.EXEMPTED: "user:ada",
    }
    assert all(one.act for one in told.done if one.duty not in {Duty.CREATED, Duty.AUTHORED, Duty.SUBMITTED})
    assert told.authors_known


def test_what_has_ended_since_was_done_all_the_same() -> None:
    ended = replace(vote("user:dev"), end_time=NOW, ended_by="user:dev")
    assert codes(History(release(), votes=(ended,))) == ["AUTHOR_APPROVED"]


@pytest.mark.parametrize(("hours", "word"), [(47, "yet"), (48, "overdue")])
def test_an_override_is_overdue_after_48_hours(hours: int, word: str) -> None:
    told = duties_of(History(release(), overrides=(override(reviewer=""),)), NOW + timedelta(hours=hours))
    assert word in told.conflicts[0].text
