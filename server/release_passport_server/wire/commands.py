"""What callers ask about releases, decisions and evidence, read strictly: all violations of a request at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.v1 import decision_service_pb2, evidence_pb2, policy_pb2, release_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.domain.evidence import EvidenceDraft, Subject
from release_passport_server.domain.ids import AttemptName, DecisionName, EvidenceName, ReleaseName, is_slug
from release_passport_server.domain.release import ReleaseIdentity
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.wire.evidence import item_from_input
from release_passport_server.wire.evidence_input import check_evidence_input, check_subject
from release_passport_server.wire.plain_facts import plain_form
from release_passport_server.wire.policy import spec_digest
from release_passport_server.wire.release import check_identity, identity_from_proto
from release_passport_server.wire.subject import subject_of
from release_passport_server.wire.text import MAX_ID_BYTES, text_problem
from release_passport_server.wire.times import moment

MAX_ITEMS = 100
MAX_POLICIES = 100
# Each rule is compiled before anything is decided; a policy alone may have as many.
MAX_RULES = 500
MIN_REASON = 20
_DIGEST = re.compile("sha256:[0-9a-f]{64}")

Asking = decision_service_pb2.EvaluateRequest | decision_service_pb2.SimulateDecisionRequest


def release_name(principal: Principal, text: str, *, field: str = "name") -> ReleaseName:
    """Return a release's name in the caller's tenant; raise Invalid or NotFound."""
    name = ReleaseName.parse(text, field=field)
    same_tenant(principal, name.tenant)
    return name


def attempt_name(principal: Principal, text: str) -> AttemptName:
    """Return an attempt's name in the caller's tenant; raise Invalid or NotFound."""
    name = AttemptName.parse(text, field="attempt")
    same_tenant(principal, name.release.tenant)
    return name


def decision_name(principal: Principal, text: str, *, field: str = "name") -> DecisionName:
    """Return a decision's name in the caller's tenant; raise Invalid or NotFound."""
    name = DecisionName.parse(text, field=field)
    same_tenant(principal, name.release.tenant)
    return name


def evidence_name(principal: Principal, text: str) -> EvidenceName:
    """Return an item's name in the caller's tenant; raise Invalid or NotFound."""
    name = EvidenceName.parse(text)
    same_tenant(principal, name.tenant)
    return name


def target(principal: Principal, request: Asking) -> tuple[ReleaseName | None, ReleaseIdentity | None]:
    """Return what a question is about: a release by name, or by identity."""
    same_tenant(principal, request.tenant)
    if bool(request.release) == request.HasField("identity"):
        raise invalid([Violation("release", "give either release or identity")])
    if request.release:
        return release_name(principal, request.release, field="release"), None
    return None, identity(request.identity)


def identity(given: release_pb2.ReleaseIdentity) -> ReleaseIdentity:
    """Return a checked identity; raise Invalid."""
    _raise(check_identity(given, "identity"))
    return identity_from_proto(given)


def stage(value: int) -> Stage | None:
    """Return the stage that a caller expects, if any; raise Invalid for a number that is none."""
    if value not in (0, 1, 2):
        raise invalid([Violation("stage", "must be PRE_ROLLOUT or WATCH")])
    return Stage(value) if value else None


def verdict(value: int) -> Verdict | None:
    """Return a verdict to filter by, if any; raise Invalid for a number that is none."""
    if value not in range(7):
        raise invalid([Violation("effective_verdict", "is no verdict")])
    return Verdict(value) if value else None


def drafts(given: Sequence[evidence_pb2.EvidenceInput], *, least: int = 0) -> tuple[EvidenceDraft, ...]:
    """Return checked items; raise Invalid with what is wrong with every one of them."""
    if not least <= len(given) <= MAX_ITEMS:
        raise invalid([Violation("evidence", f"must hold {least} to {MAX_ITEMS} items")])
    read = [(one, plain_form(one.facts)) for one in given]
    _raise(
        [
            violation
            for index, (one, form) in enumerate(read)
            for violation in check_evidence_input(one, f"evidence[{index}]", plain=form is not None)
        ]
    )
    return tuple(draft(one, form) for one, form in read)


def draft(given: evidence_pb2.EvidenceInput, form: str | None = None) -> EvidenceDraft:
    """Return one checked item, with the server's parts still to be set; `form` is that of plain facts."""
    item = item_from_input(given, name="", source="", scopes=(), receive_time=None, form=form)
    return EvidenceDraft(item, given.bundle)


def subject(given: evidence_pb2.EvidenceSubject) -> Subject:
    """Return a checked subject to filter by; raise Invalid."""
    _raise(list(check_subject(given, "subject")))
    return subject_of(given)


def candidates(given: Sequence[policy_pb2.Policy], now: datetime, author: str) -> tuple[PolicyDocument, ...]:
    """Return policies to suppose; raise Invalid for ids that are none, or twice the same."""
    if len(given) > MAX_POLICIES:
        raise invalid([Violation("policies", f"holds more than {MAX_POLICIES} policies")])
    if sum(len(policy.spec.rules) for policy in given) > MAX_RULES:
        raise invalid(
            [Violation("policies", f"hold more than {MAX_RULES} rules together; suppose fewer at once")]
        )
    problems = []
    ids = [policy.policy_id or policy.name.rpartition("/")[2] for policy in given]
    for index, policy_id in enumerate(ids):
        if not is_slug(policy_id) or policy_id in ids[:index]:
            problems.append(Violation(f"policies[{index}].policy_id", "must be an id, and each only once"))
    _raise(problems)
    return tuple(
        PolicyDocument(policy_id, 0, spec_digest(policy.spec), policy.spec, author, now, now)
        for policy_id, policy in zip(ids, given, strict=True)
    )


def time_or_none(message: Message, field: str) -> datetime | None:
    """Return a timestamp field's time, if it is set; raise Invalid where it is out of range."""
    if not message.HasField(field):
        return None
    value = getattr(message, field)
    assert isinstance(value, Timestamp)
    try:
        return moment(value)
    except (ValueError, OverflowError):
        raise invalid([Violation(field, "lies outside the years 1 to 9999")]) from None


def reason(text: str, *, least: int = 0, field: str = "reason") -> str:
    """Return a checked reason in words; raise Invalid for one that is too short or cannot be shown."""
    problem = text_problem(text)
    if problem is None and len(text.strip()) < least:
        problem = f"must say why in {least} characters or more"
    if problem is not None:
        raise invalid([Violation(field, problem)])
    return text


def slug_or_empty(value: str, field: str) -> str:
    """Return an id to filter by, or nothing; raise Invalid."""
    if value and not is_slug(value):
        raise invalid([Violation(field, "must be an id")])
    return value


def text_or_empty(value: str, field: str) -> str:
    """Return a text to filter by, or nothing; raise Invalid."""
    problem = text_problem(value, max_bytes=MAX_ID_BYTES)
    if problem is not None:
        raise invalid([Violation(field, problem)])
    return value


def digest_or_empty(value: str, field: str) -> str:
    """Return a digest to filter by, or nothing; raise Invalid."""
    if value and not _DIGEST.fullmatch(value):
        raise invalid([Violation(field, "must be sha256: and 64 lower-case hexadecimal digits")])
    return value


def digests(values: Sequence[str], field: str) -> frozenset[str]:
    """Return digests, each once; raise Invalid."""
    if len(values) > MAX_ITEMS:
        raise invalid([Violation(field, f"must hold at most {MAX_ITEMS} digests")])
    _raise(
        [
            Violation(f"{field}[{index}]", "must be sha256: and 64 lower-case hexadecimal digits")
            for index, value in enumerate(values)
            if not _DIGEST.fullmatch(value)
        ]
    )
    return frozenset(values)


def _raise(violations: Sequence[Violation]) -> None:
    if violations:
        raise invalid(violations)
