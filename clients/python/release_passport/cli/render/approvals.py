"""Votes and what is asked, for people: who approves sees exactly what a vote is bound to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

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
    authors = ", ".join(item.authors)
    shown = [
        ("asked by", f"{item.policy}/{item.rule}" if item.policy else item.rule),
        ("finding", f"{item.finding.reason}: {item.finding.message}"),
        ("needed", _needed(item.finding)),
        ("who else", _who_else(item.finding)),
        *(("artifact", f"{one.name}@{one.digest}") for one in identity.artifacts),
        ("source", identity.source_revision),
        ("manifests", identity.manifest_digest),
        ("digest", subject.release_digest),
        ("replaces", release_words(item.previous) if item.previous else "nothing: the first one here"),
        *(("change", one) for one in _changes(item)),
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


def _changes(item: approval_pb2.ApprovalRequest) -> Iterator[str]:
    """Yield what differs from the release that is replaced."""
    if not item.HasField("previous_subject"):
        return
    now, before = item.subject.identity, item.previous_subject.identity
    digests = {one.name: one.digest for one in now.artifacts}
    were = {one.name: one.digest for one in before.artifacts}
    for name in sorted(digests.keys() | were.keys()):
        yield from _change(name, were.get(name, ""), digests.get(name, ""))
    yield from _change("source", before.source_revision, now.source_revision)
    yield from _change("manifests", before.manifest_digest, now.manifest_digest)
    if digests == were and before.manifest_digest == now.manifest_digest:
        yield "none: the same artifacts and manifests"


def _change(what: str, before: str, now: str) -> Iterator[str]:
    if before != now:
        yield f"{what}: {before or 'none'} → {now or 'none'}"


def _who_else(finding: decision_pb2.Finding) -> str:
    """Return who may vote in the place of the groups that are asked."""
    asked = finding.approval
    words = [f"{', '.join(one.delegates)} for {one.group}" for one in asked.groups if one.delegates]
    if asked.HasField("escalate_to"):
        hours = asked.escalate_to.after.ToTimedelta() / timedelta(hours=1)
        words.append(f"{asked.escalate_to.group} for all, {hours:.3g} h after the release was made")
    return "; ".join(words)


def _needed(finding: decision_pb2.Finding) -> str:
    return ", ".join(f"{one.count} of {one.group}" for one in finding.approval.groups)
