"""What people are told of at once: that they are asked, and what somebody did on their own authority."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from release_passport_server.domain.canonical import canonical, stamp
from release_passport_server.domain.job import Timer

# Telling people; the key is the message's id.
NOTIFY = "notify"

POLICY_WEAKENED = "policy.weakened"
# Acts that are told, under the types of their messages.
TOLD = {
    "Approve": "approval.given",
    "Reject": "approval.rejected",
    "RevokeApproval": "approval.revoked",
    "ResolveRejection": "approval.rejection_resolved",
    "RequestWaiver": "waiver.requested",
    "GrantWaiver": "waiver.granted",
    "RevokeWaiver": "waiver.revoked",
    "CreateOverride": "override.created",
    "RecordOverride": "override.recorded",
    "WithdrawOverride": "override.withdrawn",
    "ReviewOverride": "override.reviewed",
    "CreateFreeze": "freeze.created",
    "UpdateFreeze": "freeze.changed",
    "EndFreeze": "freeze.ended",
    "CreateFreezeExemption": "freeze.exempted",
    "EndFreezeExemption": "freeze.exemption_ended",
    "ProposePolicyChange": "policy.change_proposed",
    "ApplyPolicyChange": "policy.change_applied",
    "WithdrawPolicyChange": "policy.change_withdrawn",
    "WeakenPolicy": POLICY_WEAKENED,
    "AcknowledgeWatchWindow": "watch_window.acknowledged",
    "CloseWatchWindow": "watch_window.closed",
    "AdoptPolicies": "watch_window.policies_adopted",
    "ExpireWatchWindow": "watch_window.expired",
    "SupersedeWatchWindow": "watch_window.superseded",
}
GATE_BYPASSED = "gate.bypassed"
GATE_BRAKED = "gate.braked"
GATE_MISWIRED = "gate.miswired"
APPROVAL_ASKED = "approval.asked"


def notification(kind: str, tenant: str, subject: str, now: datetime, **data: object) -> Timer:
    """Return the job that tells people; its payload is the message's body as it is delivered."""
    message_id = f"{kind}:{subject.rpartition('/')[2]}:{now:%Y%m%dT%H%M%S%f}"
    body: Mapping[str, object] = {
        "type": kind,
        "timestamp": stamp(now),
        "data": {"tenant": tenant, "subject": subject, **data},
    }
    return Timer(NOTIFY, message_id, now, canonical(body))
