"""What people are told to do next when a rule does not say it itself."""

from __future__ import annotations

from release_passport_server.domain.outcome import Reason

_ACTIONS = {
    Reason.EXPECTATION_FAILED: "Fix what the evidence shows and submit new evidence for a new build.",
    Reason.EVIDENCE_MISSING: "Have one of the sources named here submit it, or find out why none did.",
    Reason.EVIDENCE_STALE: "Have the source observe again and submit.",
    Reason.EVIDENCE_UNVERIFIED: "Submit a signed envelope by a registered signer of the service.",
    Reason.EVIDENCE_UNTRUSTED: "Have an allowed source submit it, or have a policy admin allow this source.",
    Reason.EVIDENCE_CONFLICT: "Find out which source is right and have the other one observe again.",
    Reason.EVALUATION_ERROR: "Have a policy admin correct the expression; `passport policy test` shows the error.",
    Reason.SETTLING: "Wait.",
    Reason.WARMING_UP: "Wait for the canary's first signals.",
    Reason.ANALYSIS_INCONCLUSIVE: "Look at the analysis; start a new attempt with a new build.",
    Reason.WATCH_BLIND: "Bring its signals back: the other findings name them; or roll back.",
    Reason.ROLLBACK_LATCHED: "Roll back; a later good sample does not lift this.",
    Reason.PREVIOUSLY_DEGRADED: "Build a fixed release, or have somebody who is not an author look at the rollback.",
    Reason.GROUND_WITHDRAWN: "Pause the rollout and find out why what it was let go on was taken back.",
    Reason.UNKNOWN_SERVICE: "Have an admin register it: `passport service create` or `passport environment create`.",
    Reason.NO_POLICY_MATCHED: "Have a policy admin apply a policy that matches: `passport policy apply`.",
    Reason.NO_RULE_APPLIED: "Have a policy admin add a rule without `when` for what is otherwise fine.",
    Reason.NOTHING_ENFORCED: "Have a policy admin set a policy to ENFORCE, or an admin make an observe-only binding.",
    Reason.REQUIRED_POLICY_MISSING: "Have a policy admin apply the required policy in ENFORCE mode.",
    Reason.CONCURRENT_CHANGE: "Ask again.",
    Reason.OVERRIDE_UNREVIEWED: "Have somebody other than who gave it review it: `passport override review`.",
    Reason.AUTHORS_UNKNOWN: "Register releases with their authors: `passport release create --author`.",
    Reason.OUT_OF_ORDER: "Make a new release of what should run; where this one has to go, `passport override`.",
    Reason.ARTIFACT_NOT_COVERED: "Register a release of just the images that run, and have that one decided.",
    Reason.ALL_RULES_WAIVED: "Let a waiver end, or have a policy admin add a rule that is not waived.",
}


def next_action(reason: Reason) -> str:
    """Return what to do about a finding with this reason; nothing for one that passed."""
    return _ACTIONS.get(reason, "")
