"""The SLSA verification summary of a clean ALLOW (slsa.dev/verification_summary/v1); nothing else ever gets one.

A summary cannot be recalled, and its verifiers look at no more than PASSED, so whatever weakens a decision forbids it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from release_passport_server.domain.canonical import digest_of, stamp
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.outcome import Outcome
from release_passport_server.domain.record import DecisionDraft
from release_passport_server.domain.statement import acts_in, statement, used_evidence
from release_passport_server.domain.verdict import Mode, Stage, Verdict

VSA_PREDICATE = "https://slsa.dev/verification_summary/v1"
SLSA_VERSION = "1.1"
_FIELD = "https://release-passport.dev/vsa/"


class NoSummary(StrEnum):
    """Why a decision has no verification summary."""

    SWITCHED_OFF = "SWITCHED_OFF"
    NOT_ALLOWED = "NOT_ALLOWED"
    NOT_EFFECTIVE = "NOT_EFFECTIVE"
    NOTHING_ENFORCED = "NOTHING_ENFORCED"
    OVERRIDDEN = "OVERRIDDEN"
    WAIVED = "WAIVED"
    OBSERVE_ONLY = "OBSERVE_ONLY"
    WEAKENED = "WEAKENED"
    DEV = "DEV"
    OTHER_STAGE = "OTHER_STAGE"
    NO_ARTIFACT = "NO_ARTIFACT"
    RENEWAL = "RENEWAL"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who verifies: its URI, below which everything that it speaks of has its own."""

    uri: str

    def uri_of(self, name: str) -> str:
        """Return the URI of a resource."""
        return f"{self.uri.rstrip('/')}/{name}"


def no_summary(draft: DecisionDraft, *, issues: bool = True) -> NoSummary | None:
    """Return why a decision has no summary, None where it has one; `issues` is the tenant's switch."""
    case, outcome = draft.case, draft.outcome
    reasons = (
        (not issues, NoSummary.SWITCHED_OFF),
        (case.dev, NoSummary.DEV),
        (outcome.verdict is not Verdict.ALLOW, NoSummary.NOT_ALLOWED),
        (outcome.effective_verdict is not Verdict.ALLOW, NoSummary.NOT_EFFECTIVE),
        (bool(outcome.overrides), NoSummary.OVERRIDDEN),
        # Stricter than it must be: the summary has no place to say which rule was waived.
        (bool(acts_in(outcome, "waivers")), NoSummary.WAIVED),
        (case.place.observe_only is not None, NoSummary.OBSERVE_ONLY),
        (bool(outcome.weakenings), NoSummary.WEAKENED),
        (not _enforced(outcome), NoSummary.NOTHING_ENFORCED),
        (outcome.stage is not Stage.PRE_ROLLOUT, NoSummary.OTHER_STAGE),
        (not case.release.identity.artifacts, NoSummary.NO_ARTIFACT),
        (draft.renews, NoSummary.RENEWAL),
    )
    return next((reason for applies, reason in reasons if applies), None)


def verification_summary(draft: DecisionDraft, issuer: Issuer) -> bytes:
    """Return the statement to sign; raise ValueError for a decision that must not have one."""
    refused = no_summary(draft)
    if refused is not None:
        raise ValueError(f"no verification summary: {refused}")
    identity = draft.case.release.identity
    predicate = {
        "verifier": {"id": issuer.uri, "version": {"release-passport": draft.engine_version}},
        "timeVerified": stamp(draft.now),
        "resourceUri": resource_uri(issuer, ReleaseName.parse(draft.case.release.name)),
        "policy": _policy(draft, issuer),
        "inputAttestations": [
            {"uri": issuer.uri_of(item.name), "digest": _digest(item.facts_digest)}
            for item in used_evidence(draft.outcome)
        ],
        "verificationResult": "PASSED",
        "verifiedLevels": [allowed_level(identity.environment)],
        "slsaVersion": SLSA_VERSION,
        # The specification wants the names of extensions to be URIs.
        f"{_FIELD}decision": draft.name,
        f"{_FIELD}validUntil": stamp(draft.outcome.valid_until),
    }
    return statement(identity.artifacts, VSA_PREDICATE, predicate)


def resource_uri(issuer: Issuer, release: ReleaseName) -> str:
    """Return what a summary is about: a service in one environment, so that it admits to no other."""
    place = f"tenants/{release.tenant}/environments/{release.environment}/services/{release.service}"
    return issuer.uri_of(place)


def allowed_level(environment: str) -> str:
    """Return the level that says that a release may go to an environment; it is not one of SLSA's."""
    return "RELEASE_PASSPORT_ALLOWED_" + environment.upper().replace("-", "_")


def _enforced(outcome: Outcome) -> bool:
    """Say whether an enforced policy itself says ALLOW."""
    return any(
        result.mode is Mode.ENFORCE and result.verdict is Verdict.ALLOW for result in outcome.policy_results
    )


def _policy(draft: DecisionDraft, issuer: Issuer) -> dict[str, object]:
    """Name the policies of the decision together: their digest is over all ids, revisions, digests and modes."""
    used = [
        [result.policy, str(result.revision), result.digest, result.mode.name]
        for result in draft.outcome.policy_results
    ]
    release = ReleaseName.parse(draft.case.release.name)
    return {"uri": issuer.uri_of(f"tenants/{release.tenant}/policies"), "digest": _digest(digest_of(used))}


def _digest(text: str) -> dict[str, str]:
    algorithm, _, value = text.partition(":")
    return {algorithm: value}
