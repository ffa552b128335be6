"""Sign what is decided: a decision that cannot be signed is not made."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.record import DecisionDraft
from release_passport_server.domain.statement import PAYLOAD_TYPE, decision_statement
from release_passport_server.domain.verification_summary import Issuer, no_summary, verification_summary
from release_passport_server.ports.signing import Sealer


@dataclass(frozen=True, slots=True)
class Signing:
    """Makes the envelopes of decisions."""

    sealer: Sealer
    issuer: Issuer
    # A summary cannot be called back, so whoever runs the server says whether there are any.
    issues_summaries: bool = False

    def decision(self, draft: DecisionDraft) -> bytes:
        """Return the signed decision; raise Unavailable where no key can sign."""
        return self.sealer.seal(PAYLOAD_TYPE, decision_statement(draft), draft.now)

    def summary(self, draft: DecisionDraft) -> bytes:
        """Return the signed verification summary, empty where the decision has none; raise Unavailable."""
        if no_summary(draft, issues=self.issues_summaries) is not None:
            return b""
        return self.sealer.seal(PAYLOAD_TYPE, verification_summary(draft, self.issuer), draft.now)
