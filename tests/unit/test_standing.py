"""Which of people's acts count: by whom, about what it still is, and only while they may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from release_passport_server.adapters.calendar.recurring import RecurringFreezes
from release_passport_server.domain.access import Scope
from release_passport_server.domain.acts import Acts, Group, Vote, Waiver
from release_passport_server.domain.people import People
from release_passport_server.domain.policy import (
    ApprovalGroup,
    ApprovalRequirement,
    Escalation,
    Rule,
    WaiverLimits,
)
from release_passport_server.domain.release import Attempt
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.judging import LoadedCase
from release_passport_server.services.people import NotCounting, Standing, without_vote
from release_passport_server.wire.messages import WireMessages
from support.builders import NOW, case, policy, rule

LATER = NOW + timedelta(hours=2)
CASE = case([policy()], [])
RELEASE, PLACE = CASE.release, CASE.place
SRE = ApprovalRequirement((ApprovalGroup("sre", 1),))
POLICY = policy(rule("risk", approval=SRE, digest="sha256:r1"), waivers=WaiverLimits(service_wide=True))
VOTE = Vote(
    name=f"{RELEASE.name}/approvals/1",
    release=RELEASE.name,
    release_digest=RELEASE.identity.digest,
    policy=POLICY.policy_id,
    rule="risk",
    rule_digest="sha256:r1",
    approves=True,
    group="sre",
    voter="user:ada",
    voter_groups=(),
    voter_identities=(),
    reason="",
    seen=(),
    attempt="",
    decision="",
    create_time=NOW,
    expire_time=LATER,
)
WAIVER = Waiver(
    name="tenants/acme/waivers/1",
    service=PLACE.service,
    environment=PLACE.environment,
    release=RELEASE.name,
    policy=POLICY.policy_id,
    rule="other",
    rule_digest="sha256:r2",
    finding_reason="EXPECTATION_FAILED",
    artifact="",
    key="",
    fingerprint="",
    owner="user:ada",
    ticket="SEC-7",
    reason="",
    requester="user:Ada",
    create_time=NOW,
    expire_time=LATER,
    granter="user:grace",
    grant_time=NOW,
)
GROUP = Group("sre", "SRE", ("user:ada", "user:eve"), NOW, NOW)


class Everybody:
    """Lets everybody do everything."""

    def allowed_scopes(self, *_: object, **__: object) -> tuple[Scope, ...]:
        return (Scope(),)


KNOWN = Standing(cast(Authorizer, Everybody()), RecurringFreezes(), WireMessages())


def loaded_with(*acts: Vote | Waiver, groups: tuple[Group, ...] = (GROUP,), **more: Any) -> LoadedCase:
    """Return what is read about the release when these acts are stored."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("service", "environment", "observe_only", "attempt", "ground", "standing")
    )
    empty: dict[str, Any] = dict.fromkeys(
        ("previous_attempts", "ground_withdrawn", "policies", "evidence", "latches"), ()
    )
    given: dict[str, Any] = {
        "release": RELEASE,
        "rollback_target": "",
        "read_revision": 1,
        "now": NOW,
        "acts": Acts(
            votes=tuple(one for one in acts if isinstance(one, Vote)),
            waivers=tuple(one for one in acts if isinstance(one, Waiver)),
            groups=groups,
        ),
    }
    return LoadedCase(**(nothing | empty | given | more))


def standing(*acts: Vote | Waiver, **more: Any) -> People:
    """Return what counts of these acts."""
    return KNOWN.people(loaded_with(*acts, **more), PLACE, (POLICY,))


def why_not(vote: Vote, asks: Rule, **more: Any) -> NotCounting | None:
    """Return why a vote on a rule does not count."""
    loaded = loaded_with(vote, **more)
    return KNOWN.not_counting(vote, loaded, without_vote(loaded, (POLICY,)), asks)


def asking(**more: Any) -> Rule:
    """Return the rule with another requirement."""
    return rule("risk", approval=replace(SRE, **more), digest="sha256:r1")


def attempt(number: int, **more: Any) -> Attempt:
    return Attempt(f"{RELEASE.name}/attempts/{number}", number, "", NOW, **more)


def test_who_asked_for_a_waiver_that_counts_has_no_vote() -> None:
    other = replace(VOTE, name=f"{RELEASE.name}/approvals/2", voter="user:eve")
    assert {one.voter for one in standing(VOTE, other).votes} == {"user:ada", "user:eve"}
    assert {one.voter for one in standing(VOTE, other, WAIVER).votes} == {"user:eve"}
    asked = replace(WAIVER, granter="", grant_time=None)
    assert {one.voter for one in standing(VOTE, other, asked).votes} == {"user:ada", "user:eve"}


def test_a_waiver_counts_from_its_grant_to_its_end_and_not_by_an_author() -> None:
    assert [one.name for one in standing(WAIVER).waivers] == [WAIVER.name]
    for changed in (
        replace(WAIVER, grant_time=None),
        replace(WAIVER, expire_time=NOW),
        replace(WAIVER, end_time=NOW),
        replace(WAIVER, granter=RELEASE.creator),
        replace(WAIVER, granter_identities=(RELEASE.creator.upper(),)),
    ):
        assert not standing(changed).waivers


def test_who_starts_the_rollout_has_no_vote_on_it_and_who_started_one_of_another_release_has() -> None:
    started = attempt(1, starter="user:Ada")
    assert not standing(VOTE, attempt=started).votes
    assert not standing(VOTE, previous_attempts=(started,)).votes
    elsewhere = replace(started, name="tenants/acme/services/x/environments/y/releases/1/attempts/1")
    assert standing(VOTE, previous_attempts=(elsewhere,)).votes


def test_who_asked_for_a_waiver_under_a_second_identity_has_no_vote() -> None:
    other = replace(WAIVER, requester="user:corp/7", requester_identities=("ada@example.com",))
    known = replace(VOTE, voter_identities=("Ada@example.com",))
    assert standing(known).votes
    assert not standing(known, other).votes


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, None),
        ({"end_time": NOW}, NotCounting.ENDED),
        ({"expire_time": NOW}, NotCounting.EXPIRED),
        ({"release_digest": "sha256:other"}, NotCounting.RELEASE_CHANGED),
        ({"rule_digest": "sha256:other"}, NotCounting.RULE_CHANGED),
        ({"voter": RELEASE.creator}, NotCounting.AUTHOR),
        ({"voter_identities": (RELEASE.creator.upper(),)}, NotCounting.AUTHOR),
        ({"voter": "user:left"}, NotCounting.RIGHT_LOST),
        ({"group": "security"}, NotCounting.RIGHT_LOST),
        ({"voter": "user:left", "approves": False, "group": ""}, None),
    ],
)
def test_a_vote_counts_about_what_it_was_cast_on_by_who_still_may(
    changed: dict[str, Any], why: NotCounting | None
) -> None:
    assert why_not(replace(VOTE, **changed), asking()) == why


def test_a_rule_that_asks_for_every_attempt_takes_no_vote_of_an_earlier_one() -> None:
    again, before = asking(per_attempt=True), (attempt(1),)
    assert why_not(VOTE, again) is None
    assert why_not(VOTE, again, previous_attempts=before) == NotCounting.OTHER_ATTEMPT
    assert why_not(replace(VOTE, attempt=before[0].name), again, previous_attempts=before) is None
    assert why_not(VOTE, asking(), previous_attempts=before) is None


def test_a_delegate_s_vote_counts_for_the_group_alone_that_named_them() -> None:
    groups = (GROUP, Group("standby", "", ("user:sub",), NOW, NOW))
    vote = replace(VOTE, voter="user:sub")
    named = asking(groups=(ApprovalGroup("sre", 1, ("standby",)), ApprovalGroup("security", 1)))
    assert why_not(vote, named, groups=groups) is None
    assert why_not(replace(vote, group="security"), named, groups=groups) == NotCounting.RIGHT_LOST
    assert why_not(vote, asking(), groups=groups) == NotCounting.RIGHT_LOST


def test_who_it_escalates_to_counts_once_the_release_has_waited_so_long_and_goes_on_counting() -> None:
    groups = (GROUP, Group("directors", "", ("user:chief",), NOW, NOW))
    late = asking(escalation=Escalation("directors", timedelta(hours=4)))
    vote = replace(VOTE, voter="user:chief", expire_time=NOW + timedelta(days=2))
    cast_at = RELEASE.create_time + timedelta(hours=4)
    assert why_not(replace(vote, create_time=cast_at), late, groups=groups) is None
    early = replace(vote, create_time=cast_at - timedelta(seconds=1))
    assert why_not(early, late, groups=groups) == NotCounting.RIGHT_LOST
