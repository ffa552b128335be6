"""What the pool's processes find out about a bundle: everything that no question about it can change."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from release_passport_server.adapters.sigstore.frames import FrameInvalid
from release_passport_server.domain.attestation import AttestationFailure, SignerClaims


@dataclass(frozen=True, slots=True)
class Report:
    """How far a bundle came, and what is proven about it by then.

    Without a failure the signature is good; whether its signer may say so, and whether it is about what was asked, is
    for the reader to tell.
    """

    failure: AttestationFailure | None = None
    text: str = ""
    claims: SignerClaims | None = None
    method: str = ""
    sign_time: datetime | None = None
    log_index: int | None = None
    root: str = ""
    media_type: str = ""
    # What was signed: digests, and of a statement what it says.
    subjects: frozenset[str] = frozenset()
    predicate_type: str = ""
    # Empty where no facts are derived from this type of predicate.
    kind: str = ""
    facts: bytes = b""
    statement_time: datetime | None = None
    # Why the statement of a good signature has no facts.
    statement_problem: str = ""

    def parts(self) -> list[bytes]:
        """Return the report as the parts of a message."""
        told: dict[str, object] = {name: getattr(self, name) for name in _PLAIN}
        told["failure"] = self.failure
        told["claims"] = self.claims and {name: getattr(self.claims, name) for name in _CLAIMS}
        told["subjects"] = sorted(self.subjects)
        told["sign_time"] = self.sign_time and self.sign_time.isoformat()
        told["statement_time"] = self.statement_time and self.statement_time.isoformat()
        return [_ENCODER.encode(told).encode(), self.facts]

    @classmethod
    def of(cls, parts: list[bytes]) -> Report:
        """Return the report that a message holds; raise FrameInvalid."""
        try:
            head, facts = parts
            found = json.loads(head)
            return cls(
                failure=AttestationFailure(found["failure"]) if found["failure"] else None,
                claims=SignerClaims(**found["claims"]) if found["claims"] else None,
                subjects=frozenset(found["subjects"]),
                sign_time=_time(found["sign_time"]),
                statement_time=_time(found["statement_time"]),
                facts=facts,
                **{name: found[name] for name in _PLAIN},
            )
        except (ValueError, TypeError, KeyError) as error:
            raise FrameInvalid("not a report") from error


_ENCODER = json.JSONEncoder(separators=(",", ":"))
_CLAIMS = tuple(field.name for field in fields(SignerClaims))
_PLAIN = (
    "text",
    "method",
    "log_index",
    "root",
    "media_type",
    "predicate_type",
    "kind",
    "statement_problem",
)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
