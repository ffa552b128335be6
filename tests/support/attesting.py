"""Decisions to be signed, and keys that sign them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

from release_passport.signatures.public_key import public_key
from release_passport_server.domain.case import Case
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.record import DecisionDraft, DecisionRecord
from release_passport_server.domain.signing_key import Algorithm, Purpose, SigningKey
from release_passport_server.domain.verification_summary import Issuer
from release_passport_server.ports.signing import Signature
from support.builders import NOW, RELEASE, case, item, policy

DECISION = f"{RELEASE}/decisions/01JD0000000000000000000000"
ISSUER = Issuer("https://passport.example/")


def allowed(**more: object) -> Case:
    """Return a case that comes to a clean ALLOW."""
    return case([policy()], [item()], **more)  # type: ignore[arg-type]


def draft_of(judged: Case, **more: object) -> DecisionDraft:
    """Return the decision of a case, before it is recorded."""
    made = DecisionDraft(
        case=judged,
        outcome=decide(judged, now=NOW),
        now=NOW,
        engine_version="0.1.0 cel/0.1.3",
        case_digest="sha256:" + "e" * 64,
        considered_revision=2**60,
        name=DECISION,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def record_of(draft: DecisionDraft, **more: object) -> DecisionRecord:
    """Return the record of a decision."""
    outcome, identity = draft.outcome, draft.case.release.identity
    made = DecisionRecord(
        decision_id="01JD0000000000000000000000",
        name=draft.name,
        release=draft.case.release.name,
        service=identity.service,
        environment=identity.environment,
        stage=outcome.stage,
        verdict=outcome.verdict,
        effective_verdict=outcome.effective_verdict,
        outcome_digest=outcome.digest,
        decide_time=draft.now,
        valid_until=outcome.valid_until,
        next_eligible_time=outcome.next_eligible_time,
        considered_revision=draft.considered_revision,
        body=b"",
        case_body=b"",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def read(statement: bytes) -> Mapping[str, Any]:
    """Return a statement as its readers see it."""
    document: Mapping[str, Any] = json.loads(statement)
    return document


class MemorySigner:
    """Signs with keys that are made on the spot; `fail` makes it unavailable."""

    def __init__(self, algorithm: Algorithm = Algorithm.P256) -> None:
        self._private = {
            Purpose.DECISION: ec.generate_private_key(ec.SECP256R1())
            if algorithm is Algorithm.P256
            else ed25519.Ed25519PrivateKey.generate(),
            Purpose.LOG: ed25519.Ed25519PrivateKey.generate(),
        }
        self.fail = False
        self.known = [
            SigningKey(
                key.key_id,
                purpose,
                Algorithm(key.algorithm),
                key.pem,
                datetime.min.replace(tzinfo=NOW.tzinfo),
            )
            for purpose, private in self._private.items()
            for key in [public_key(private.public_key())]
        ]

    def sign(self, purpose: Purpose, message: bytes, now: datetime) -> Signature:
        if self.fail:
            raise Unavailable("SIGNER_UNAVAILABLE", "switched off")
        private = self._private[purpose]
        key_id = next(key.key_id for key in self.known if key.purpose is purpose)
        if isinstance(private, ed25519.Ed25519PrivateKey):
            return Signature(key_id, private.sign(message))
        return Signature(key_id, private.sign(message, ec.ECDSA(SHA256())))

    def public_keys(self) -> tuple[SigningKey, ...]:
        return tuple(self.known)
