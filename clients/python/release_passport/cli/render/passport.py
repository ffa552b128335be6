"""The passport of a release for people: the verdict first, then everything that is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from release_passport.cli.render import approvals, exceptions, lists, people, windows
from release_passport.cli.render.decision_table import decision_document
from release_passport.cli.render.markdown import decision_markdown, escape
from release_passport.cli.render.names import last_part, release_words
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
    if passport.watch_windows:
        title = f"Watch windows ({len(passport.watch_windows)})"
        _section(document, title, windows.windows(passport.watch_windows))
    for title, part in _acts(passport):
        _section(document, title, part)
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
    if passport.watch_windows:
        lines += [
            "",
            "### Watch windows",
            "",
            "| attempt | state | open since | ended |",
            "|---|---|---|---|",
        ]
    for words in map(windows.words, passport.watch_windows):
        lines.append("| " + " | ".join(escape(cell) for cell in words) + " |")
    done = list(_acts_in_words(passport))
    if done:
        lines += ["", "### People", "", "| what | who | why | name |", "|---|---|---|---|"]
    for words in done:
        lines.append("| " + " | ".join(escape(cell) for cell in words) + " |")
    return "\n".join(lines) + "\n"


def _acts(passport: passport_pb2.Passport) -> Iterator[tuple[str, Document]]:
    """Yield what people did about a release, by kind."""
    if passport.approvals:
        yield f"Votes ({len(passport.approvals)})", approvals.votes(passport.approvals)
    if passport.waivers:
        yield f"Waivers ({len(passport.waivers)})", exceptions.waivers(passport.waivers)
    if passport.overrides:
        yield f"Overrides ({len(passport.overrides)})", exceptions.overrides(passport.overrides)
    if passport.freeze_exemptions:
        title = f"Freeze exemptions ({len(passport.freeze_exemptions)})"
        yield title, people.exemptions(passport.freeze_exemptions)


def _acts_in_words(passport: passport_pb2.Passport) -> Iterator[tuple[str, str, str, str]]:
    for vote in passport.approvals:
        yield approvals.vote_words(vote), vote.voter, vote.reason, vote.name
    for waiver in passport.waivers:
        what = f"waiver of {waiver.policy}/{waiver.rule}, {exceptions.waiver_state(waiver)}"
        yield what, waiver.granter or waiver.requester, waiver.reason, waiver.name
    for override in passport.overrides:
        what = "done by hand, told afterwards" if override.retrospective else "override"
        yield what, override.principal, override.reason, override.name
    for one in passport.freeze_exemptions:
        yield f"exempt from freeze {last_part(one.freeze)}", one.creator, one.reason, one.name


def _section(document: Document, title: str, part: Document) -> None:
    document.gap()
    document.add(Span(title, "strong"))
    document.lines += [_indented(line) for line in part.lines]


def _indented(line: Line) -> Line:
    return Line(line.spans, line.indent + 2, line.hang)
