"""Checks the SLSA verification summary of a decision as the decision is: signature, key, log, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from release_passport.bundle.form import Document, digest
from release_passport.bundle.signers import why_refused
from release_passport.signatures.envelope import EnvelopeInvalid, open_envelope
from release_passport.signatures.key_set import Evidence, PublishedKey, trusted

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"
_OWN = "https://release-passport.dev/vsa/"


def summary_faults(
    given: Document, decision: Mapping[str, Any], keys: Sequence[PublishedKey], evidence: Evidence
) -> Iterator[str]:
    """Yield what is wrong with the summary of a decision whose own statement was verified.

    `evidence` is the decision's. The log's entry names the summary's digest; one that it does not name is not proved
    to be as old as the decision, so that it does not count once its key is retired.
    """
    raw = given["summary"].encode()
    logged = json.loads(given["entry"]["body"])["detail"].get("summaryDigest", "")
    if logged and logged != (digest(raw) if raw else ""):
        missing = "is left out" if not raw else "is another than the one in the audit log"
        yield f"its verification summary {missing}"
        return
    if not raw:
        return
    try:
        opened = open_envelope(raw, trusted(keys, "DECISION"))
        statement = json.loads(opened.payload)
        wrong = list(_wrong_content(statement, decision))
        time = datetime.fromisoformat(statement["predicate"]["timeVerified"])
    except EnvelopeInvalid as error:
        yield f"its verification summary: {error}"
        return
    except (ValueError, KeyError, TypeError):
        yield "its verification summary is not complete"
        return
    known = replace(evidence, sign_time=time, index=evidence.index if logged else None)
    refusal = why_refused(opened, keys, known)
    if refusal is not None:
        yield f"its verification summary: {refusal}"
    yield from wrong


def _wrong_content(summary: Mapping[str, Any], decision: Mapping[str, Any]) -> Iterator[str]:
    said, decided = summary["predicate"], decision["predicate"]
    if (summary["_type"], summary["predicateType"]) != (STATEMENT, PREDICATE):
        yield "its verification summary is a statement of another type"
        return
    if said.get(f"{_OWN}decision") != decided["decision"] or said["timeVerified"] != decided["decideTime"]:
        yield "its verification summary is about another decision"
    if said["verificationResult"] != "PASSED" or (decided["verdict"], decided["effectiveVerdict"]) != (
        "ALLOW",
        "ALLOW",
    ):
        yield "its verification summary says that it passed, and the decision is not a clean ALLOW"
    if summary["subject"] != decision["subject"]:
        yield "its verification summary is about other artifacts"
