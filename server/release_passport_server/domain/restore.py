"""The way back: a release that restores what passed there before goes, whatever rules say of it by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from release_passport_server.domain.case import Case
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.outcome import Finding, Reason
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.verdict import Verdict

# What a decision bears that lets a release go back although what is enforced would not.
RESTORED = "RESTORES_PREVIOUS"
# What is said by people of this very release, or of going back: no way back goes past it.
_BY_PEOPLE = frozenset({Reason.REJECTED, Reason.FROZEN, Reason.FREEZE_EXEMPT, Reason.GROUND_WITHDRAWN})
_DIGESTS = frozenset({SubjectType.ARTIFACT, SubjectType.MANIFEST, SubjectType.RELEASE})


def goes_back(case: Case, policies: Iterable[Policy], binding: Iterable[Finding]) -> bool:
    """Say whether a release goes because it restores; `policies` and findings are those that bind.

    Not where its own digests are condemned: latched, recommended to be rolled back, revoked, or rejected by people.
    """
    release = case.release
    if not (release.is_restore and release.way_back_from):
        return False
    if any(policy.judges_restores for policy in policies) or any(latch.enforced for latch in case.latches):
        return False
    return not any(_condemns(finding) for finding in binding) and not _is_revoked(case)


def restoring(case: Case) -> Finding:
    """Return the finding that lets a release go back."""
    text = f"it passed here before, and goes back from {case.release.way_back_from}"
    return Finding(Verdict.ALLOW, Reason.RESTORES_PREVIOUS, text)


def _condemns(finding: Finding) -> bool:
    if finding.verdict is Verdict.ROLLBACK_RECOMMENDED:
        return True
    return finding.reason in _BY_PEOPLE and not finding.verdict.allows


class _Series(NamedTuple):
    kind: str
    key: str
    source: str
    subject: str


def _is_revoked(case: Case) -> bool:
    """Say whether anything that was known of its digests was revoked, and nothing came in its place."""
    return any(
        item.revocation is not None
        for kind in case.evidence
        for item in _newest(case.evidence[kind]).values()
    )


def _newest(items: Sequence[EvidenceItem]) -> dict[_Series, EvidenceItem]:
    """Return the newest item of each series about digests; they come oldest first."""
    return {
        _Series(item.kind, item.key, item.source, item.subject.value): item
        for item in items
        if item.subject.type in _DIGESTS
    }
