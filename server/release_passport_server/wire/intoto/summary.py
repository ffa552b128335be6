"""Facts of SLSA verification summaries, version 1 (slsa.dev/spec, verification_summary)."""

from __future__ import annotations

import re
from datetime import datetime

from release_passport.v1 import evidence_pb2
from release_passport_server.wire.intoto.reading import fill, text_at, texts_at, time_at
from release_passport_server.wire.intoto.strict_json import JSON

_SHA256 = re.compile("[0-9a-f]{64}")
_RESULTS = {
    "PASSED": evidence_pb2.VERIFICATION_RESULT_PASSED,
    "FAILED": evidence_pb2.VERIFICATION_RESULT_FAILED,
}


def verification_summary(predicate: JSON) -> tuple[evidence_pb2.VerificationSummary, datetime | None]:
    """Return the facts of a verification summary, and when it was verified."""
    facts = evidence_pb2.VerificationSummary()
    verify_time = time_at(predicate, "timeVerified")
    digest = text_at(predicate, "policy", "digest", "sha256")
    fill(
        facts,
        verifier_id=text_at(predicate, "verifier", "id"),
        verification_result=_RESULTS.get(text_at(predicate, "verificationResult") or ""),
        resource_uri=text_at(predicate, "resourceUri"),
        policy_uri=text_at(predicate, "policy", "uri"),
        policy_digest=f"sha256:{digest}" if digest is not None and _SHA256.fullmatch(digest) else None,
        slsa_version=text_at(predicate, "slsaVersion"),
        verify_time=verify_time,
    )
    levels = texts_at(predicate, "verifiedLevels")
    if levels is not None:
        facts.verified_levels.extend(levels)
        facts.complete = True
    return facts, verify_time
