"""The predicate types that are understood, and the facts that each yields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.wire.facts import check_facts
from release_passport_server.wire.intoto.provenance import provenance_v02, provenance_v1
from release_passport_server.wire.intoto.sbom import cyclonedx
from release_passport_server.wire.intoto.scan import cosign_scan, intoto_scan
from release_passport_server.wire.intoto.spdx3 import spdx_document
from release_passport_server.wire.intoto.statement import Statement, StatementInvalid
from release_passport_server.wire.intoto.strict_json import JSON
from release_passport_server.wire.intoto.summary import verification_summary

_Derive = Callable[[JSON], tuple[Message, datetime | None]]

# Predicate type, kind of evidence, and how its facts are read.
_PREDICATES: tuple[tuple[re.Pattern[str], str, _Derive], ...] = (
    (re.compile(r"https://slsa\.dev/provenance/v0\.2"), "provenance", provenance_v02),
    (re.compile(r"https://slsa\.dev/provenance/v1"), "provenance", provenance_v1),
    (re.compile(r"https://slsa\.dev/verification_summary/v1"), "verification_summary", verification_summary),
    (re.compile(r"https://spdx\.dev/Document(?:/v(?:2\.[23]|3\.0(?:\.[01])?))?"), "sbom", spdx_document),
    (re.compile(r"https://cyclonedx\.org/bom(?:/v1\.[0-9])?"), "sbom", cyclonedx),
    (re.compile(r"https://cosign\.sigstore\.dev/attestation/vuln/v1"), "vulnerability_scan", cosign_scan),
    (re.compile(r"https://in-toto\.io/attestation/vulns/v0\.[12]"), "vulnerability_scan", intoto_scan),
)


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """The facts of a statement, the kind that they are, and when the statement says that it was made."""

    kind: str
    message: Message
    time: datetime | None


def kind_of(predicate_type: str) -> str | None:
    """Return the kind of evidence that a predicate type is, None where no facts are derived from it."""
    return next((kind for pattern, kind, _ in _PREDICATES if pattern.fullmatch(predicate_type)), None)


def facts_of(statement: Statement) -> StatementFacts | None:
    """Return what a statement says, None where its type yields no facts; `check_derived` is still to come."""
    for pattern, kind, derive in _PREDICATES:
        if pattern.fullmatch(statement.predicate_type):
            message, time = derive(statement.predicate)
            return StatementFacts(kind, message, time)
    return None


def check_derived(kind: str, message: Message) -> None:
    """Raise StatementInvalid if the message cannot be the facts of an item of this kind."""
    facts = evidence_pb2.EvidenceFacts()
    getattr(facts, kind).CopyFrom(message)
    problems = check_facts(facts, "predicate")
    if problems:
        raise StatementInvalid(f"{problems[0].field}: {problems[0].description}")
