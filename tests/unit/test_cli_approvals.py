"""What people are shown before they vote."""

from __future__ import annotations

from release_passport.cli.render.approvals import request
from release_passport.v1 import approval_pb2, decision_pb2, policy_pb2, release_pb2, verdict_pb2

PLACE = "tenants/default/services/checkout/environments/prod/releases"
A, B = ("sha256:" + letter * 64 for letter in "ab")


def subject(version: str, digest: str, **more: str) -> release_pb2.Release:
    artifacts = [release_pb2.Artifact(name="app", digest=digest)]
    artifacts += [release_pb2.Artifact(name=name, digest=A) for name in more]
    identity = release_pb2.ReleaseIdentity(
        version=version, source_revision=f"rev{version}", artifacts=artifacts, manifest_digest=A
    )
    return release_pb2.Release(name=f"{PLACE}/{version}", identity=identity, release_digest=digest)


def asked(**more: object) -> approval_pb2.ApprovalRequest:
    groups = [policy_pb2.ApprovalGroup(group="sre", count=2)]
    finding = decision_pb2.Finding(
        reason="EXPECTATION_FAILED",
        message="nobody agreed",
        approval=policy_pb2.ApprovalRequirement(groups=groups),
    )
    made = approval_pb2.ApprovalRequest(
        release=f"{PLACE}/2",
        policy="render",
        rule="agreed",
        title="Is it agreed?",
        finding=finding,
        subject=subject("2", B),
        authors=["sa:ci"],
        authors_known=True,
    )
    made.MergeFrom(approval_pb2.ApprovalRequest(**more))  # type: ignore[arg-type]
    return made


def test_it_shows_what_changes_of_what_runs_now() -> None:
    before = subject("1", A, gone="")
    text = str(request(asked(previous=before.name, previous_subject=before)))
    for shown in (f"app: {A} → {B}", f"gone: {A} → none", "source: rev1 → rev2", "2 of sre", "nobody agreed"):
        assert shown in text
    assert "manifests:" not in text
    same = subject("1", B)
    assert "the same artifacts and manifests" in str(request(asked(previous_subject=same)))
    assert "the first one here" in str(request(asked()))


def test_it_shows_who_else_may_vote() -> None:
    made = asked()
    made.finding.approval.groups[0].delegates.append("standby")
    late = made.finding.approval.escalate_to
    late.group, late.after.seconds = "directors", 5400
    text = str(request(made))
    assert "standby for sre; directors for all, 1.5 h after the release was made" in text


def test_it_shows_what_else_stands_against_it_who_voted_and_that_the_authors_are_not_known() -> None:
    other = decision_pb2.Finding(
        policy="p", rule="clean", verdict=verdict_pb2.VERDICT_HOLD, reason="FAILED", message="3\x1b[2J"
    )
    lapsed = approval_pb2.Approval(voter="user:eve", group="sre", not_counting="RIGHT_LOST", reason="fine")
    made = asked(other_findings=[other], approvals=[lapsed])
    made.authors_known = False
    text = str(request(made))
    assert "HOLD p/clean FAILED" in text
    assert "approved for sre by user:eve: fine (does not count: RIGHT_LOST)" in text
    assert "who committed the change is not known" in text
    assert "\x1b" not in text
