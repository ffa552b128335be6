"""Exceptions to findings and overrides, for people."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.names import last_part, release_words
from release_passport.cli.render.text import Document, Span, pairs, table
from release_passport.cli.render.view import rule_name, time_words, verdict_name
from release_passport.enum_names import short_name
from release_passport.v1 import decision_pb2, override_service_pb2, verdict_pb2, waiver_pb2


def waivers(items: Sequence[waiver_pb2.Waiver]) -> Document:
    """Return waivers as a table."""
    rows = [
        (
            last_part(item.name),
            _waived_words(item),
            f"{item.policy}/{item.rule}",
            waiver_state(item),
            item.owner,
            item.ticket,
        )
        for item in items
    ]
    return table(("id", "where", "finding", "state", "owner", "ticket"), rows, empty="no waivers")


def waiver(item: waiver_pb2.Waiver) -> Document:
    """Return all of a waiver: what it covers, for whom, and until when."""
    about = " ".join(part for part in (item.artifact, item.key) if part)
    document = pairs(
        [
            ("waiver", item.name),
            ("covers", f"{item.policy}/{item.rule} {item.finding_reason}"),
            ("about", about),
            ("where", _waived_words(item)),
            ("state", waiver_state(item)),
            ("reason", item.reason),
            ("ticket", item.ticket),
            ("owner", item.owner),
            ("asked by", f"{item.requester} at {time_words(item.create_time)}"),
            ("granted by", f"{item.granter} at {time_words(item.grant_time)}" if item.granter else ""),
            ("ended by", f"{item.ended_by}: {item.end_reason}" if item.ended_by else ""),
        ]
    )
    for line in item.fingerprint.splitlines():
        document.add(Span("fact  ", "dim"), line, hang=6)
    return document


def waiver_state(item: waiver_pb2.Waiver) -> str:
    """Return in a few words where a waiver stands, and when it ends."""
    state = short_name(waiver_pb2.WaiverState.DESCRIPTOR, item.state).lower()
    if item.HasField("end_time"):
        return f"{state} {time_words(item.end_time)}"
    return f"{state}, until {time_words(item.expire_time)}"


def overrides(items: Sequence[override_service_pb2.Override]) -> Document:
    """Return overrides as a table."""
    rows = [
        (
            item.name,
            _override_state(item),
            item.principal,
            item.ticket,
            f"by {item.reviewer}" if item.reviewer else f"due {time_words(item.review_due_time)}",
        )
        for item in items
    ]
    return table(("name", "state", "who", "ticket", "review"), rows, empty="no overrides")


def overruled(decision: decision_pb2.Decision) -> Document:
    """Return what an override of a decision will overrule."""
    document = Document()
    document.add(
        Span(release_words(decision.release), "strong"),
        "  ",
        Span(verdict_name(decision.effective_verdict), verdict_name(decision.effective_verdict)),
    )
    stands = {verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY}
    for finding in decision.findings:
        if finding.verdict not in stands:
            verdict = verdict_name(finding.verdict)
            document.add(Span(verdict, verdict), f" {rule_name(finding)} {finding.reason}", indent=2)
            document.add(finding.message, indent=4)
    return document


def _waived_words(item: waiver_pb2.Waiver) -> str:
    if item.release:
        return release_words(item.release)
    return f"all of {item.service} → {item.environment}"


def _override_state(item: override_service_pb2.Override) -> str:
    if item.retrospective:
        return f"done by hand {time_words(item.act_time)}"
    if item.HasField("end_time"):
        return f"withdrawn {time_words(item.end_time)}"
    return f"until {time_words(item.expire_time)}"
