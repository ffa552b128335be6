"""in-toto statements, versions 0.1 and 1 (in-toto/attestation, spec/v1/statement.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from release_passport_server.wire.intoto.strict_json import JSON, JSONInvalid, parse

_TYPES = frozenset({"https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"})
# What artifacts are named by; other digests, such as commits, name no artifact.
_DIGESTS = {
    "sha256": re.compile("[0-9a-f]{64}"),
    "sha384": re.compile("[0-9a-f]{96}"),
    "sha512": re.compile("[0-9a-f]{128}"),
}
MAX_SUBJECTS = 1024


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
    """Return the subjects' SHA-2 digests; one that has only others is left out."""
    if not isinstance(value, list) or not value:
        raise StatementInvalid("`subject` must be a list that is not empty")
    if len(value) > MAX_SUBJECTS:
        raise StatementInvalid(f"`subject` must have at most {MAX_SUBJECTS} entries")
    digests = set()
    for subject in value:
        digest = subject.get("digest") if isinstance(subject, dict) else None
        if not isinstance(digest, dict):
            raise StatementInvalid("each subject must have a `digest` object")
        for name, pattern in _DIGESTS.items():
            text = digest.get(name)
            if text is None:
                continue
            if not isinstance(text, str) or not pattern.fullmatch(text):
                raise StatementInvalid(f"`{name}` must be hexadecimal digits in lower case, all of them")
            digests.add(f"{name}:{text}")
    return frozenset(digests)
