"""Signed documents of every kind, for other people's verifiers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from release_passport_server.adapters.signing.sealer import DSSESealer
from release_passport_server.domain.permit import (
    PERMIT_PREDICATE,
    Errand,
    new_permit,
    permit_statement,
    terms_of,
)
from release_passport_server.domain.signing_key import Algorithm
from release_passport_server.domain.statement import (
    DECISION_PREDICATE,
    PAYLOAD_TYPE,
    REFUSAL_PREDICATE,
    decision_statement,
)
from release_passport_server.domain.verification_summary import VSA_PREDICATE, verification_summary
from support.attesting import ISSUER, MemorySigner, allowed, draft_of, record_of
from support.builders import NOW, case, item, policy


def without(what: str) -> NoReturn:
    """Fail in CI, where everything has to be there; skip anywhere else."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: CI needs the independent verifiers")
    pytest.skip(f"{what}: the independent verifiers were not run")


class Sealed:
    """Signed documents in files, with the public key that they were signed with."""

    def __init__(self, folder: Path, algorithm: Algorithm) -> None:
        self.folder = folder
        self.signer = MemorySigner(algorithm)
        self.key = folder / "key.pem"
        self.key.write_text(self.signer.known[0].public_key)

    def file(self, statement: bytes) -> Path:
        path = self.folder / "envelope.json"
        path.write_bytes(DSSESealer(self.signer).seal(PAYLOAD_TYPE, statement, NOW))
        return path


REFUSED = draft_of(case([policy()], [item(20)]))
ALLOWED = draft_of(allowed())


def permit() -> bytes:
    release = ALLOWED.case.release
    made = new_permit("01J", record_of(ALLOWED), release, terms_of(ALLOWED, Errand("argo", "attempts/1", 1)))
    assert made is not None
    return permit_statement(made, release.identity.artifacts)


STATEMENTS = {
    DECISION_PREDICATE: decision_statement(ALLOWED),
    REFUSAL_PREDICATE: decision_statement(REFUSED),
    VSA_PREDICATE: verification_summary(ALLOWED, ISSUER),
    PERMIT_PREDICATE: permit(),
}
