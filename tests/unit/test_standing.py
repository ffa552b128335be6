"""Which of people's acts count: by whom, about what it still is, and only while they may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from release_passport_server.adapters.calendar.recurring import RecurringFreezes
from release_passport_server.domain.access import Scope
from release_passport_server.domain.acts import Acts, Group, Vote, Waiver
from release_passport_server.domain.people import People
from release_passport_server.domain.policy import ApprovalGroup, ApprovalRequirement, WaiverLimits
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.judging import LoadedCase
from release_passport_server.services.people import Standing
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


def standing(*acts: Vote | Waiver) -> People:
    """Return what counts of these acts."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("service", "environment", "observe_only", "attempt", "ground", "standing")
    )
    empty: dict[str, Any] = dict.fromkeys(
        ("previous_attempts", "ground_withdrawn", "policies", "evidence", "latches"), ()
    )
    loaded = LoadedCase(
        release=RELEASE,
        rollback_target="",
        read_revision=1,
        now=NOW,
        acts=Acts(
            votes=tuple(one for one in acts if isinstance(one, Vote)),
            waivers=tuple(one for one in acts if isinstance(one, Waiver)),
            groups=(GROUP,),
        ),
        **nothing,
        **empty,
    )
    known = Standing(cast(Authorizer, Everybody()), RecurringFreezes(), WireMessages())
    return known.people(loaded, PLACE, (POLICY,))


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
