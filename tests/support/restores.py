"""Cases of releases that go back to what passed before, each as it is and with what keeps it from going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from release_passport_server.domain.case import Case
from release_passport_server.domain.evidence import Revocation
from release_passport_server.domain.people import CountedVote, People, StandingFreeze
from release_passport_server.domain.policy import (
    ApprovalGroup,
    ApprovalRequirement,
    Canary,
    Match,
    Policy,
    Watch,
)
from release_passport_server.domain.release import Latch, Place
from release_passport_server.domain.verdict import Mode, Stage, Verdict
from support.builders import ATTEMPT, NOW, RELEASE, about, about_attempt, case, item, need, policy, rule

NEWER = f"{RELEASE}-next"
_LATER = NOW + timedelta(hours=2)
_AGO = timedelta(days=3)
_REVOKED = Revocation(NOW, "user:ada", "the build was compromised")
_ASKED = ApprovalRequirement((ApprovalGroup("sre", 1),))


def back(policies: list[Policy] | None = None, *evidence: Any, **more: Any) -> Case:
    """Return the case of a release that passed before, while a newer one is on its way or went wrong."""
    made = case(policies if policies is not None else [policy()], evidence or [item(age=_AGO)], **more)
    return replace(made, release=replace(made.release, is_restore=True, way_back_from=NEWER))


def forward(given: Case) -> Case:
    """Return the same case where nothing is to go back from."""
    return replace(given, release=replace(given.release, way_back_from=""))


def latch(**more: Any) -> Latch:
    """Return what latched on the digests in an earlier attempt."""
    made = Latch("01A", "policy", "rule", "decision", f"{RELEASE}-before/attempts/1", True, "FAILED", NOW)
    return replace(made, **more)


def votes(*, approves: bool) -> People:
    """Return what one person said of the rule that asks people."""
    said = CountedVote(
        "v", "sha256:v", "policy", "risk", "sha256:r1", approves, "sre", "user:bob", (), _LATER
    )
    return People(votes=(said,))


def frozen(in_flight: str = "FINISH", exemption: str = "", groups: tuple[str, ...] = ()) -> People:
    """Return a freeze that is meant for ways back as well; an exemption may ask one of each group."""
    asked = tuple((group, 1) for group in groups)
    return People(
        freezes=(StandingFreeze("f", "sha256:f", "audit", in_flight, _LATER, exemption, "", asked),)
    )


def asking() -> Policy:
    """Return a policy whose rule asks people where the facts fail."""
    risk = rule("risk", on_fail=Verdict.REQUIRE_APPROVAL, approval=_ASKED, digest="sha256:r1")
    return policy(risk)


def limited() -> Policy:
    """Return a policy that limits a canary and watches it."""
    watch = Watch(timedelta(hours=1), timedelta(0), timedelta(seconds=30))
    return policy(watch=watch, canary=Canary(10, (5, 10)))


def revoked(**more: Any) -> Any:
    """Return evidence about the release's artifact that was revoked."""
    return item(subject=about(0), revocation=_REVOKED, **more)


def _required(policies: list[Policy]) -> Case:
    return back(policies, place=Place("checkout", "prod", required_policies=("baseline",)))


def _sample(value: int) -> Any:
    return item(value, "metric_sample", subject=about_attempt())


def _rolling(*samples: Any, failures: int = 3, **more: Any) -> Case:
    """Return a rollout of what is gone back to, with samples of one metric."""
    errors = rule("errors", need("metric_sample"), stage=Stage.WATCH, failures=failures)
    given = case([policy(errors)], samples, watch=True, **more)
    return replace(given, release=replace(given.release, is_restore=True, way_back_from=NEWER))


def _taken_back() -> Case:
    given = _rolling(_sample(1))
    assert given.ground is not None
    return replace(given, ground=replace(given.ground, withdrawn=("tenants/acme/evidence/e",)))


def _unpassed(given: Case) -> Case:
    return replace(given, release=replace(given.release, is_restore=False))


# What goes whatever is found of it by now: the case, and whether it would have gone anyway.
GOING: Mapping[str, tuple[Case, bool]] = {
    "its evidence is stale": (back(), False),
    "its evidence is missing": (back([policy(rule("r", need("change_ticket")))]), False),
    "a rule blocks it by now": (back(None, item(20)), False),
    "a rule asks people": (back([asking()], item(20)), False),
    "people were asked and approved": (back([asking()], item(20), people=votes(approves=True)), True),
    "its evidence is in order": (back(None, item()), True),
    "it would be limited to a canary": (back([limited()], item()), True),
    "nobody reviewed an override": (back(None, item(), people=People(unreviewed="o")), False),
    "no policy matches any more": (back([policy(match=Match(services=("other",)))]), False),
    "a required policy is missing": (_required([policy()]), False),
    "a shadow policy would judge it": (
        back([policy(), policy(mode=Mode.SHADOW, policy_id="shadow", judges_restores=True)]),
        False,
    ),
    "a shadow policy's latch": (back(latches=(latch(enforced=False),)), False),
    "a revoked item that another replaced": (
        back(None, revoked(age=timedelta(days=4)), item(subject=about(0), age=_AGO)),
        False,
    ),
    "somebody exempted it from a freeze": (back(people=frozen(exemption="e")), False),
    "what was known of its workload is revoked": (back(None, item(revocation=_REVOKED)), False),
    "its rollout has no signal yet": (_rolling(), False),
    "its rollout fails less often than it may": (_rolling(_sample(20), failures=3), True),
}
# What is judged like any other release, and comes to what it would.
JUDGED: Mapping[str, Case] = {
    "nothing newer is on its way or went wrong": forward(back()),
    "its digests never passed here": _unpassed(back()),
    "a policy says that restores are judged": back([policy(judges_restores=True)]),
    "one of two policies says so": back([policy(), policy(policy_id="strict", judges_restores=True)]),
    "its own digests are latched": back(latches=(latch(),)),
    "people rejected it": back([asking()], item(20), people=votes(approves=False)),
    "what was known of its artifact is revoked": back(None, revoked()),
    "a freeze is meant for ways back too": back(None, item(), people=frozen()),
    "its exemption from a freeze waits for people": back(
        None, item(), people=frozen("FINISH", "e", ("sre",))
    ),
    "its own rollout degrades": _rolling(_sample(20), failures=1),
    "its own rollout is latched": _rolling(latches=(latch(attempt=ATTEMPT),)),
    "what its rollout stands on was taken back": _taken_back(),
    "a freeze rolls back what is under way": _rolling(_sample(1), people=frozen("ROLLBACK")),
    "its service is unknown": back(place=Place("checkout", "prod", service_known=False)),
}
