"""Questions about rights and what is answered, as messages and as the domain's values."""

from __future__ import annotations

from collections.abc import Iterator

from release_passport.v1 import access_pb2
from release_passport.v1 import access_service_pb2 as pb
from release_passport_server.domain.access import PRINCIPAL_RULE, Verb, is_group, is_principal
from release_passport_server.domain.access_review import (
    AccessAnswer,
    AccessEntry,
    AccessQuestion,
    BindingRuling,
)
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.kind import UnknownKind, kind_named
from release_passport_server.wire.access import binding_to_proto
from release_passport_server.wire.fields import refuse, slug_violations
from release_passport_server.wire.times import timestamp

MAX_GROUPS = 50
MAX_SHOWN = 1000


def question_of(request: pb.CheckAccessRequest) -> AccessQuestion:
    """Return what a request asks; raise Invalid with all that is wrong with it."""
    refuse(list(_violations(request)))
    return AccessQuestion(Verb(request.verb), request.service, request.environment, request.evidence_kind)


def answer_to_proto(
    tenant: str, answer: AccessAnswer, question: AccessQuestion, *, explain: bool
) -> pb.CheckAccessResponse:
    """Return the answer, with its reasons where they were asked for."""
    shown = pb.CheckAccessResponse(allowed=answer.allowed, principal=answer.principal, banned=answer.banned)
    if explain:
        shown.explanation = answer.explanation(question)
        shown.bindings.extend(_ruling(tenant, one) for one in answer.bindings[:MAX_SHOWN])
    return shown


def entry_to_proto(tenant: str, entry: AccessEntry) -> access_pb2.AccessEntry:
    """Return one line of an access review."""
    end = entry.tokens_expire_time
    return access_pb2.AccessEntry(
        role_binding=binding_to_proto(tenant, entry.binding),
        verbs=[verb.value for verb in entry.verbs],
        evidence_kinds=entry.kinds,
        group=entry.group,
        banned=entry.banned,
        tokens=entry.tokens,
        tokens_expire_time=None if end is None else timestamp(end),
    )


def _ruling(tenant: str, one: BindingRuling) -> access_pb2.BindingRuling:
    return access_pb2.BindingRuling(
        role_binding=binding_to_proto(tenant, one.binding),
        outcome=f"BINDING_OUTCOME_{one.ruling.outcome}",
        rule=one.ruling.rule,
    )


def _violations(request: pb.CheckAccessRequest) -> Iterator[Violation]:
    if request.principal and not is_principal(request.principal):
        yield Violation("principal", PRINCIPAL_RULE)
    if request.groups and not request.principal:
        yield Violation("groups", "must be left out about the caller: they are those of its credential")
    if len(request.groups) > MAX_GROUPS:
        yield Violation("groups", f"must name at most {MAX_GROUPS} groups")
    for index, group in enumerate(request.groups[:MAX_GROUPS]):
        if not is_group(group):
            yield Violation(f"groups[{index}]", "must be group:{alias}/{name}")
    if request.verb not in tuple(Verb):
        yield Violation("verb", f"must be one of {', '.join(Verb)}")
    for field in ("service", "environment"):
        if value := getattr(request, field):
            yield from slug_violations(value, field)
    yield from _kind_violations(request)


def _kind_violations(request: pb.CheckAccessRequest) -> Iterator[Violation]:
    if not request.evidence_kind:
        return
    if request.verb != Verb.SUBMIT:
        yield Violation("evidence_kind", "belongs to the verb submit")
    try:
        kind_named(request.evidence_kind)
    except UnknownKind as error:
        yield Violation("evidence_kind", str(error)[:300])
