"""Checks one decision of an exported passport: its signature, its place in the log, and all that it names by digest."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from release_passport.bundle.form import BundleInvalid, Document, digest
from release_passport.bundle.logged import TheLog
from release_passport.bundle.signers import why_refused
from release_passport.bundle.summary import summary_faults
from release_passport.log.merkle import ProofInvalid
from release_passport.log.note import NoteInvalid
from release_passport.signatures.envelope import EnvelopeInvalid, open_envelope
from release_passport.signatures.key_set import Evidence, PublishedKey, trusted

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATES = (
    "https://release-passport.dev/predicates/decision/v1",
    "https://release-passport.dev/predicates/refusal/v1",
)
_ALLOWS = ("ALLOW", "ALLOW_WITH_CANARY")


@dataclass(slots=True)
class Findings:
    """What was found so far."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    statements: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def check_decision(
    found: Findings,
    document: Document,
    given: Document,
    keys: Sequence[PublishedKey],
    log: TheLog,
    *,
    dev: bool,
) -> None:
    """Add what is wrong with a decision; its statement where the signature is right."""
    name = given["name"]
    if not given["envelope"]:
        found.faults.append(f"{name}: it is not signed: it was made before this service had keys")
        return
    try:
        opened = open_envelope(given["envelope"].encode(), trusted(keys, "DECISION"))
        statement = json.loads(opened.payload)
        index = _logged(given, log)
        time = datetime.fromisoformat(statement["predicate"]["decideTime"])
        evidence = Evidence(time, index, log.published, log.held)
        refusal = why_refused(opened, keys, evidence)
        if refusal is not None:
            found.faults.append(f"{name}: {refusal}")
    except (EnvelopeInvalid, NoteInvalid, ProofInvalid, BundleInvalid) as error:
        found.faults.append(f"{name}: {error}")
        return
    found.statements[name] = statement
    found.faults += [f"{name}: {fault}" for fault in _faults(document, given, statement, dev=dev)]
    found.faults += [f"{name}: {fault}" for fault in summary_faults(given, statement, keys, evidence)]
    missing = [one for one in _evidence(given).values() if one not in document["facts"]]
    if missing:
        found.notes.append(f"{name}: {len(missing)} of its facts were purged, so it cannot be decided again")


def _logged(given: Document, log: TheLog) -> int:
    """Return where the decision's entry stands in the log; raise BundleInvalid where it is about something else."""
    entry = given["entry"]
    if entry["body"] is None or entry["salt"] is None:
        raise BundleInvalid("its entry in the audit log was purged, so nothing proves it")
    body = entry["body"].encode()
    index = log.index_of(entry["proof"], base64.b64decode(entry["salt"], validate=True), body)
    said = json.loads(body)
    about = (said["action"], said["subject"], said["detail"]["envelopeDigest"], said["detail"]["bodyDigest"])
    own = (
        "Evaluate",
        given["name"],
        digest(given["envelope"].encode()),
        digest(base64.b64decode(given["body"], validate=True)),
    )
    if about != own:
        raise BundleInvalid("its entry in the audit log is about something else")
    return index


def _faults(document: Document, given: Document, statement: Mapping[str, Any], *, dev: bool) -> Iterator[str]:
    predicate, case = statement["predicate"], json.loads(given["case"])
    if statement["_type"] != STATEMENT or statement["predicateType"] not in PREDICATES:
        yield "what is signed is not a decision"
    elif (predicate["effectiveVerdict"] in _ALLOWS) != (statement["predicateType"] == PREDICATES[0]):
        yield "the type of the signed document does not fit its verdict"
    if predicate["decision"] != given["name"]:
        yield "what is signed is another decision"
    if (predicate["dev"] or case["dev"]) and not dev:
        yield "it was made in development mode and counts nowhere; --dev lets it pass"
    if predicate["caseDigest"] != digest(given["case"].encode()):
        yield "its case is another than the one that was signed"
    yield from _about_another(document, given, statement, case)
    kept = {(one["policy"], one["revision"]): one["digest"] for one in document["policies"]}
    for policy, revision, wanted in case["policies"]:
        if kept.get((policy, revision)) != wanted:
            yield f"the policy {policy}@{revision} that it was decided by is not there"
    named = _evidence(given)
    for used in predicate["evidence"]:
        if named.get(used["name"]) != used["digest"]:
            yield f"the evidence {used['name']} is not that of its case"


def _about_another(
    document: Document, given: Document, statement: Mapping[str, Any], case: Mapping[str, Any]
) -> Iterator[str]:
    """Yield where release, identity, case and statement are not about the same."""
    release, signed = document["release"], statement["predicate"]["release"]
    identity = json.loads(release["identity"])
    if not given["name"].startswith(f"{release['name']}/decisions/") or signed["name"] != release["name"]:
        yield "it is about another release"
    if not digest(release["identity"].encode()) == signed["digest"] == case["release"]["digest"]:
        yield "the release consists of something else than what was decided"
    told = {name: signed[name] for name in ("service", "environment", "sourceRevision", "manifestDigest")}
    if told != {name: identity[name] for name in told}:
        yield "the release is not from where it was signed to be"
    subjects = {(one["name"], *next(iter(one["digest"].items()))) for one in statement["subject"]}
    if subjects != {(name, *value.split(":", 1)) for name, value, _ in identity["artifacts"]}:
        yield "the artifacts are others than those that were signed"


def _evidence(given: Document) -> dict[str, str]:
    """Return the digests of the facts of a case, by the name of the evidence."""
    return {item[0]: item[6] for item in json.loads(given["case"])["evidence"]}
