"""The passport of a release for people: the verdict first, then everything that is known."""

from __future__ import annotations

from datetime import datetime

from release_passport.cli.render import lists
from release_passport.cli.render.decision_table import decision_document
from release_passport.cli.render.markdown import decision_markdown, escape
from release_passport.cli.render.names import release_words
from release_passport.cli.render.text import Document, Line, Span
from release_passport.cli.render.view import time_words, verdict_name, view_of
from release_passport.v1 import passport_pb2


def passport_document(passport: passport_pb2.Passport, *, now: datetime) -> Document:
    """Return the passport as a document."""
    document = Document()
    if passport.HasField("current_decision"):
        document.lines += decision_document(view_of(passport.current_decision), now=now).lines
    else:
        document.add(Span("UNDECIDED", "HOLD"), "  ", Span(release_words(passport.release.name), "strong"))
    _section(document, "Release", lists.release(passport.release))
    open_latches = [latch for latch in passport.latches if not latch.HasField("clear_time")]
    if open_latches:
        document.gap()
        document.add(Span("Latched", "strong"))
    for latch in open_latches:
        text = f"{latch.policy}/{latch.rule} {latch.reason} since {time_words(latch.create_time)}"
        document.add(Span(text, "BLOCK"), indent=2)
    _section(document, f"Evidence ({len(passport.evidence)})", lists.evidence_list(passport.evidence))
    _section(document, f"Decisions ({len(passport.decisions)})", lists.decisions(passport.decisions))
    if passport.truncated:
        document.gap()
        document.add(
            Span("! shortened: there is more than the passport shows; list it to see all", "warning")
        )
    return document


def passport_markdown(passport: passport_pb2.Passport) -> str:
    """Return the passport as Markdown."""
    lines = [f"# Passport of {escape(release_words(passport.release.name))}", ""]
    if passport.HasField("current_decision"):
        lines.append(decision_markdown(view_of(passport.current_decision)))
    identity = passport.release.identity
    lines += ["### Release", ""]
    lines += [f"- artifact {escape(item.name)} {escape(item.digest)}" for item in identity.artifacts]
    lines += [f"- source {escape(identity.source_revision)}"] if identity.source_revision else []
    lines += [f"- digest {escape(passport.release.release_digest)}", "", "### Evidence", ""]
    lines += ["| kind | about | source | verified | observed |", "|---|---|---|---|---|"]
    for item in passport.evidence:
        verified = lists.verification_words(item.verification)
        about = lists.subject_words(item.subject)
        cells = (f"{item.kind} {item.key}", about, item.source, verified, time_words(item.observe_time))
        lines.append("| " + " | ".join(escape(cell) for cell in cells) + " |")
    lines += ["", "### Decisions", "", "| verdict | decided | decision |", "|---|---|---|"]
    for decision in passport.decisions:
        said = (verdict_name(decision.effective_verdict), time_words(decision.decide_time), decision.name)
        lines.append("| " + " | ".join(escape(cell) for cell in said) + " |")
    return "\n".join(lines) + "\n"


def _section(document: Document, title: str, part: Document) -> None:
    document.gap()
    document.add(Span(title, "strong"))
    document.lines += [_indented(line) for line in part.lines]


def _indented(line: Line) -> Line:
    return Line(line.spans, line.indent + 2, line.hang)
