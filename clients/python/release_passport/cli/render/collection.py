"""What was collected from registries, for people."""

from __future__ import annotations

from collections.abc import Iterator

from release_passport.cli.render.names import last_part
from release_passport.cli.render.text import Document, Span, table
from release_passport.v1 import evidence_service_pb2

_DIGEST_SHOWN = len("sha256:") + 12


def collected(found: evidence_service_pb2.CollectAttestationsResponse) -> Document:
    """Return for each image what was found, what it became or why it proves nothing, and what went wrong."""
    document = Document()
    for one in found.images:
        document.add(Span(one.image, "strong"))
        rows = [
            (
                attestation.digest[:_DIGEST_SHOWN],
                attestation.kind or attestation.predicate_type or "unknown",
                attestation.place,
                "verified" if attestation.evidence else attestation.reason,
                last_part(attestation.evidence) if attestation.evidence else attestation.message,
            )
            for attestation in one.attestations
        ]
        headers = ("attestation", "kind", "found", "result", "evidence")
        document.lines.extend(table(headers, rows, empty="no attestations").lines)
        for text in _problems(one):
            document.add(text)
    return document


def _problems(one: evidence_service_pb2.CollectedImage) -> Iterator[str]:
    for problem in one.problems:
        yield f"problem: {problem.where}: {problem.message}"
    if not one.complete:
        yield "this is not everything that is attached"
