"""`passport window adopt-policies`: shows first, asks, and does what was shown."""

from __future__ import annotations

from release_passport.v1 import watch_window_pb2
from release_passport.v1 import watch_window_service_pb2 as pb
from support.cli_fixtures import connected, fake, passport
from support.cli_window_cases import A_WINDOW
from support.command_line import CommandLine
from support.decisions import RELEASE
from support.fake_server import FakeServer

__all__ = ["connected", "fake", "passport"]

COMMAND = ("window", "adopt-policies")
ATTEMPT = f"{RELEASE}/attempts/1"
REASON = ("--reason", "the threshold was wrong, see the incident")
SAME = pb.AdoptPoliciesResponse(window=A_WINDOW)
DIFFERS = pb.AdoptPoliciesResponse(
    window=A_WINDOW,
    changes=[
        pb.AdoptedPolicy(policy_id="base", revision_before=3, revision_after=4),
        pb.AdoptedPolicy(policy_id="late", revision_after=1),
        pb.AdoptedPolicy(policy_id="gone", revision_before=2),
    ],
    verdict_before="VERDICT_ALLOW",
    verdict_after="VERDICT_HOLD",
    reasons=["EVIDENCE_MISSING"],
    etag='"one"',
)


def test_it_does_what_it_has_shown_where_somebody_says_yes(connected: CommandLine, fake: FakeServer) -> None:
    fake.reply("AdoptPolicies", DIFFERS)
    result = connected(*COMMAND, ATTEMPT, *REASON, "--yes")
    assert result.code == 0, result.err
    for text in ("base 3 -> 4", "late none -> 1", "gone 2 -> none", "ALLOW -> HOLD", "EVIDENCE_MISSING"):
        assert text in result.err, text
        assert text in result.out, text
    first, second = fake.asked("AdoptPolicies")
    assert (first.validate_only, first.reason) == (True, "")
    assert (second.validate_only, second.reason, second.etag) == (False, REASON[1], '"one"')


def test_without_a_yes_it_has_only_shown(connected: CommandLine, fake: FakeServer) -> None:
    fake.reply("AdoptPolicies", DIFFERS)
    result = connected(*COMMAND, ATTEMPT, *REASON)
    assert (result.code, "nobody is at the terminal" in result.err) == (2, True)
    assert [one.validate_only for one in fake.asked("AdoptPolicies")] == [True]


def test_what_is_judged_by_the_policies_of_now_is_left_alone(
    connected: CommandLine, fake: FakeServer
) -> None:
    other = watch_window_pb2.WatchWindow(name=f"{RELEASE}/attempts/2/watchWindow")
    fake.reply("ListWatchWindows", pb.ListWatchWindowsResponse(windows=[A_WINDOW, other]))
    fake.reply("AdoptPolicies", SAME)
    result = connected(*COMMAND, "--service", "checkout", *REASON, "--yes")
    assert (result.code, "as they are now" in result.out) == (0, True)
    assert [one.name for one in fake.asked("AdoptPolicies")] == [A_WINDOW.name, other.name]
    fake.reply("AdoptPolicies", SAME, DIFFERS)
    assert connected(*COMMAND, "--environment", "prod", *REASON, "--yes").code == 0
    assert [one.validate_only for one in fake.asked("AdoptPolicies")[2:]] == [True, True, False]


def test_it_is_said_what_is_missing(connected: CommandLine, fake: FakeServer) -> None:
    nothing = connected(*COMMAND, *REASON)
    assert (nothing.code, "--environment" in nothing.err) == (2, True)
    silent = connected(*COMMAND, ATTEMPT)
    assert (silent.code, "--dry-run" in silent.err) == (2, True)
    assert not fake.asked("AdoptPolicies")
