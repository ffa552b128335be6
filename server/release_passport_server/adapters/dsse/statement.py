"""in-toto statements, versions 0.1 and 1 (in-toto/attestation, spec/v1/statement.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from release_passport_server.adapters.dsse.strict_json import JSON, JSONInvalid, parse

_TYPES = frozenset({"https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"})
_SHA256 = re.compile("[0-9a-f]{64}")


class StatementInvalid(ValueError):
    """The payload is not a statement; the message says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Which artifacts a statement is about, by digest, and what it says of them."""

    subjects: frozenset[str]
    predicate_type: str
    predicate: dict[str, JSON]


def read_statement(payload: bytes) -> Statement:
    """Return the statement in a verified payload; raise StatementInvalid."""
    try:
        statement = parse(payload)
    except JSONInvalid as error:
        raise StatementInvalid(str(error)) from error
    if not isinstance(statement, dict) or statement.get("_type") not in _TYPES:
        raise StatementInvalid("`_type` must be an in-toto statement, version 0.1 or 1")
    predicate_type, predicate = statement.get("predicateType"), statement.get("predicate")
    if not isinstance(predicate_type, str) or not predicate_type:
        raise StatementInvalid("`predicateType` must be a text")
    if not isinstance(predicate, dict):
        raise StatementInvalid("`predicate` must be an object")
    return Statement(_subjects(statement.get("subject")), predicate_type, predicate)


def _subjects(value: JSON | None) -> frozenset[str]:
    """Return the subjects' SHA-256 digests; one that has only others is left out."""
    if not isinstance(value, list) or not value:
        raise StatementInvalid("`subject` must be a list that is not empty")
    digests = set()
    for subject in value:
        digest = subject.get("digest") if isinstance(subject, dict) else None
        if not isinstance(digest, dict):
            raise StatementInvalid("each subject must have a `digest` object")
        sha256 = digest.get("sha256")
        if sha256 is None:
            continue
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise StatementInvalid("`sha256` must be 64 hexadecimal digits in lower case")
        digests.add(f"sha256:{sha256}")
    return frozenset(digests)
