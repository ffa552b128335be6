"""Checks policies with the server's compiler, and shows each problem where it stands in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_passport.cli.render.machine import as_data, write_data
from release_passport.cli.render.screen import show
from release_passport.cli.render.text import Document, Span
from release_passport.cli.session import Session
from release_passport.v1 import policy_service_pb2

if TYPE_CHECKING:
    from release_passport.policy_file import PolicyDocument


def validate_policies(session: Session, documents: list[PolicyDocument]) -> bool:
    """Write what is wrong with each policy, and say whether all are sound."""
    sound = True
    shown = Document()
    data: list[dict[str, Any]] = []
    for document in documents:
        request = policy_service_pb2.ValidatePolicyRequest(policy=document.policy)
        response = session.client.validate_policy(request)
        sound = sound and not response.problems
        _add(shown, document, response)
        data.append({"file": document.file, **as_data(response)})
    if session.output == "table":
        show(shown)
    else:
        write_data(data, session.output)
    return sound


def _add(
    shown: Document, document: PolicyDocument, response: policy_service_pb2.ValidatePolicyResponse
) -> None:
    for problem in response.problems:
        place = document.place_of(problem.field, problem.line, problem.column)
        where = f"{document.file}:{place.line}:{place.column}: "
        shown.add(Span(where, "strong"), Span("error ", "BLOCK"), f"{problem.field}: {problem.problem}")
    for warning in response.warnings:
        shown.add(Span(f"{document.file}: ", "strong"), Span("warning ", "warning"), warning)
    if not response.problems:
        shown.add(Span(f"{document.file}: ", "strong"), Span("valid", "ALLOW"))
