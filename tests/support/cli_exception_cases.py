"""The commands about waivers and overrides, each with the RPC that it is for and an answer of it."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport.v1 import override_service_pb2, waiver_pb2, waiver_service_pb2
from support.decisions import RELEASE

WHY = ("--ticket", "SEC-7", "--reason", "the parser is not linked into it")
A_WAIVER = waiver_pb2.Waiver(
    name="tenants/acme/waivers/01H",
    release=RELEASE,
    policy="scans",
    rule="no-critical",
    fingerprint="vulnerability_scan/trivy: critical CVE-1 openssl",
    owner="user:ada",
    requester="user:ada",
    ticket="SEC-7",
    state="WAIVER_STATE_REQUESTED",
)
AN_OVERRIDE = override_service_pb2.Override(
    name=f"{RELEASE}/overrides/01H", release=RELEASE, principal="user:ada", ticket="INC-7"
)

EXCEPTIONS: list[tuple[tuple[str, ...], str, Message, str]] = [
    (
        ("waiver", "request", RELEASE, "scans/no-critical", *WHY, "--for", "3d"),
        "RequestWaiver",
        waiver_service_pb2.RequestWaiverResponse(waiver=A_WAIVER),
        "CVE-1",
    ),
    (
        ("waiver", "show", "01H"),
        "GetWaiver",
        waiver_service_pb2.GetWaiverResponse(waiver=A_WAIVER),
        "CVE-1",
    ),
    (
        ("waiver", "revoke", "01H"),
        "RevokeWaiver",
        waiver_service_pb2.RevokeWaiverResponse(waiver=A_WAIVER),
        "SEC-7",
    ),
    (
        ("waiver", "list", "--state", "orphaned"),
        "ListWaivers",
        waiver_service_pb2.ListWaiversResponse(waivers=[A_WAIVER]),
        "no-critical",
    ),
    (
        ("override", "record", RELEASE, *WHY, "--ago", "2h"),
        "RecordOverride",
        override_service_pb2.RecordOverrideResponse(override=AN_OVERRIDE),
        "INC-7",
    ),
    (
        ("override", "withdraw", AN_OVERRIDE.name),
        "WithdrawOverride",
        override_service_pb2.WithdrawOverrideResponse(override=AN_OVERRIDE),
        "INC-7",
    ),
    (
        ("override", "review", AN_OVERRIDE.name, "--review", "seen with the incident: justified"),
        "ReviewOverride",
        override_service_pb2.ReviewOverrideResponse(override=AN_OVERRIDE),
        "INC-7",
    ),
    (
        ("override", "list", "--unreviewed", "--retrospective"),
        "ListOverrides",
        override_service_pb2.ListOverridesResponse(overrides=[AN_OVERRIDE]),
        "INC-7",
    ),
]
