"""What a caller submits as evidence: its limits, and that its kind fits its subject."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.kind import KINDS, kind_named
from release_passport_server.wire.facts import check_facts, facts_kind, time_problem
from release_passport_server.wire.subject import subject_type
from release_passport_server.wire.text import MAX_ID_BYTES, text_problem

MAX_BUNDLE_BYTES = 1024 * 1024

_ID = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_RELEASE = rf"tenants/{_ID}/services/{_ID}/environments/{_ID}/releases/[A-Za-z0-9][A-Za-z0-9._+-]{{0,126}}"
_DIGEST_RULE = (re.compile("sha256:[0-9a-f]{64}"), '"sha256:" and 64 hexadecimal digits in lower case')
_PLACE = re.compile(_ID)
_TEXT_RULES = {
    "artifact_digest": _DIGEST_RULE,
    "source_revision": (re.compile("[0-9a-f]{7,64}"), "a commit: 7 to 64 hexadecimal digits in lower case"),
    "manifest_digest": _DIGEST_RULE,
    "release": (
        re.compile(_RELEASE),
        "a resource name, tenants/{tenant}/services/{service}/environments/{environment}/releases/{version}",
    ),
    "attempt": (
        re.compile(rf"{_RELEASE}/attempts/[1-9][0-9]{{0,8}}"),
        "a release's resource name and /attempts/{number}",
    ),
}


def check_evidence_input(
    given: evidence_pb2.EvidenceInput, path: str, *, plain: bool = False
) -> list[Violation]:
    """Return what is wrong with one submitted item by itself, each with its path; empty when all is well.

    `plain` says that there is nothing wrong with any field of its facts by itself.
    """
    violations = [
        *check_subject(given.subject, f"{path}.subject"),
        *check_facts(given.facts, f"{path}.facts", derived=_is_derived(given), plain=plain),
        *_check_times(given, path),
    ]
    problem = text_problem(given.external_id, max_bytes=MAX_ID_BYTES)
    if problem is not None:
        violations.append(Violation(f"{path}.external_id", problem))
    if len(given.bundle) > MAX_BUNDLE_BYTES:
        violations.append(Violation(f"{path}.bundle", f"must be at most {MAX_BUNDLE_BYTES} bytes"))
    return violations or list(_check_binding(given, path))


def _is_derived(given: evidence_pb2.EvidenceInput) -> bool:
    if not given.bundle:
        return False
    name = given.facts.WhichOneof("facts")
    return name in KINDS and KINDS[name].attestation


def check_subject(subject: evidence_pb2.EvidenceSubject, path: str) -> Iterator[Violation]:
    """Yield what is wrong with a subject."""
    name = subject.WhichOneof("subject")
    if name is None:
        yield Violation(path, "required: say what the evidence is about")
    elif name == "workload":
        for part in ("service", "environment"):
            if not _PLACE.fullmatch(getattr(subject.workload, part)):
                yield Violation(f"{path}.workload.{part}", f"must be the id of a registered {part}")
    else:
        pattern, description = _TEXT_RULES[name]
        if not pattern.fullmatch(getattr(subject, name)):
            yield Violation(f"{path}.{name}", f"must be {description}")


def _check_times(given: evidence_pb2.EvidenceInput, path: str) -> Iterator[Violation]:
    if not given.HasField("observe_time"):
        yield Violation(f"{path}.observe_time", "required: when the facts were so")
        return
    problem = time_problem(given.observe_time)
    if problem is not None:
        yield Violation(f"{path}.observe_time", problem)
    if not given.HasField("expire_time"):
        return
    observed, expires = given.observe_time, given.expire_time
    problem = time_problem(expires)
    if problem is not None:
        yield Violation(f"{path}.expire_time", problem)
    elif (expires.seconds, expires.nanos) <= (observed.seconds, observed.nanos):
        yield Violation(f"{path}.expire_time", "must be later than `observe_time`")


def _check_binding(given: evidence_pb2.EvidenceInput, path: str) -> Iterator[Violation]:
    """Yield why this kind of facts cannot be about this subject, or cannot be submitted at all."""
    name = facts_kind(given.facts)
    kind = kind_named(name)
    if kind.server_only:
        yield Violation(f"{path}.facts", f"{name} is written by the server alone")
    elif subject_type(given.subject) not in kind.binds:
        yield Violation(f"{path}.subject", f"{name} binds to: {', '.join(kind.binds)}")
