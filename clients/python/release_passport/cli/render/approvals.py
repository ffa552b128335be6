"""Votes and what is asked, for people: who approves sees exactly what a vote is bound to."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.names import last_part, release_words
from release_passport.cli.render.text import Document, Span, pairs, table
from release_passport.cli.render.view import time_words, verdict_name
from release_passport.v1 import approval_pb2, decision_pb2, group_service_pb2


def request(item: approval_pb2.ApprovalRequest) -> Document:
    """Return what is asked, with everything that a vote is bound to."""
    subject = item.subject
    identity = subject.identity
    document = Document()
    document.add(Span(f"{release_words(item.release)}: {item.title or item.rule}", "strong"))
    previous = "nothing: the first one here"
    if item.previous:
        previous = f"{release_words(item.previous)} {item.previous_source_revision[:12]}"
    authors = ", ".join(item.authors)
    shown = [
        ("asked by", f"{item.policy}/{item.rule}" if item.policy else item.rule),
        ("finding", f"{item.finding.reason}: {item.finding.message}"),
        ("needed", _needed(item.finding)),
        *(("artifact", f"{one.name}@{one.digest}") for one in identity.artifacts),
        ("source", identity.source_revision),
        ("manifests", identity.manifest_digest),
        ("digest", subject.release_digest),
        ("replaces", previous),
        ("authors", authors if item.authors_known else f"{authors}; who committed the change is not known"),
        *(("vote", vote_words(one)) for one in item.approvals),
        *(("also stands", finding_words(one)) for one in item.other_findings),
        ("decision", item.decision),
        ("your groups", ", ".join(item.your_groups)),
        ("not for you", item.why_not),
    ]
    document.lines += pairs(shown).lines
    return document


def requests(items: Sequence[approval_pb2.ApprovalRequest]) -> Document:
    """Return what is asked as a table."""
    rows = [
        (
            release_words(item.release),
            item.title or item.rule,
            _needed(item.finding),
            item.why_not or "you may",
            time_words(item.ask_time),
        )
        for item in items
    ]
    return table(("release", "asks", "needed", "vote", "since"), rows, empty="nothing waits for a vote")


def votes(items: Sequence[approval_pb2.Approval]) -> Document:
    """Return votes as a table."""
    rows = [
        (release_words(item.release), item.rule, vote_words(item), time_words(item.create_time), item.name)
        for item in items
    ]
    return table(("release", "rule", "vote", "cast", "name"), rows, empty="no votes")


def vote_words(item: approval_pb2.Approval) -> str:
    """Return a vote in a few words."""
    rejects = item.vote == approval_pb2.APPROVAL_DECISION_REJECT
    says = "rejected" if rejects else f"approved for {item.group}"
    reason = f": {item.reason}" if item.reason else ""
    lapsed = f" (does not count: {item.not_counting})" if item.not_counting else ""
    return f"{says} by {item.voter}{reason}{lapsed}"


def finding_words(item: decision_pb2.Finding) -> str:
    """Return a finding on one line."""
    where = " ".join(part for part in (item.artifact, item.key) if part)
    return f"{verdict_name(item.verdict)} {item.policy}/{item.rule} {item.reason} {where}: {item.message}"


def groups(items: Sequence[group_service_pb2.Group]) -> Document:
    """Return groups as a table."""
    rows = [(last_part(item.name), item.title, ", ".join(item.members)) for item in items]
    return table(("group", "title", "members"), rows, empty="no groups")


def _needed(finding: decision_pb2.Finding) -> str:
    return ", ".join(f"{one.count} of {one.group}" for one in finding.approval.groups)
