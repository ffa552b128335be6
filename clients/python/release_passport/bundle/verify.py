"""Verifies an exported passport with keys that its reader has from elsewhere: nothing in it is believed unproved."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from release_passport.bundle.decision import Findings, check_decision
from release_passport.bundle.form import (
    SEAL_TYPE,
    BundleInvalid,
    Document,
    digest,
    parse_bundle,
    seal_payload,
)
from release_passport.bundle.logged import opened_log
from release_passport.log.merkle import ProofInvalid
from release_passport.log.note import NoteInvalid
from release_passport.signatures.envelope import EnvelopeInvalid, envelope, open_envelope
from release_passport.signatures.key_set import PublishedKey, SeenCheckpoint, trusted
from release_passport.signatures.public_key import KeyInvalid

DECISION = "DECISION"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it: no faults, and all of it holds; `notes` are what could not be looked at."""

    document: Document
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()
    # The statement of each decision whose signature holds, by name.
    statements: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def verify_bundle(
    raw: bytes, keys: Sequence[PublishedKey], *, dev: bool = False, held: Sequence[SeenCheckpoint] = ()
) -> Report:
    """Return what is wrong with a passport; raise BundleInvalid for a file that is none, or that was changed.

    `held` are checkpoints that the reader kept itself. With `dev` decisions of a server in development mode count.
    """
    document = parse_bundle(raw)
    try:
        sealed_by = _opened_seal(document, keys)
        log = opened_log(document["log"], keys, held, believes_anchors=sealed_by.state == "ACTIVE")
        found = Findings()
        for given in document["decisions"]:
            check_decision(found, document, given, keys, log, dev=dev)
        found.faults += [*_broken_chain(document, found), *_wrong_content(document)]
    except (NoteInvalid, ProofInvalid, KeyInvalid, EnvelopeInvalid) as error:
        raise BundleInvalid(str(error)) from error
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        if isinstance(error, BundleInvalid):
            raise
        raise BundleInvalid("a part of the passport is missing or is not what it should be") from error
    return Report(document, tuple(found.faults), tuple(found.notes), found.statements)


def _opened_seal(document: Document, keys: Sequence[PublishedKey]) -> PublishedKey:
    """Return the key that sealed the document; raise BundleInvalid for a document that was changed since."""
    seal = document.get("seal")
    unsealed = {name: value for name, value in document.items() if name != "seal"}
    if not isinstance(seal, dict):
        raise BundleInvalid("the passport has no seal")
    try:
        opened = open_envelope(json.dumps(seal).encode(), trusted(keys, DECISION), payload_type=SEAL_TYPE)
    except EnvelopeInvalid as error:
        raise BundleInvalid(f"the seal: {error}") from error
    if opened.payload != seal_payload(unsealed):
        raise BundleInvalid("the passport was changed since it was exported")
    key = next(one for one in keys if one.key == opened.keys[0])
    again = envelope(SEAL_TYPE, opened.payload, key.key.key_id, _signature(seal))
    if json.loads(again) != seal:
        raise BundleInvalid("the seal is not in the form in which passports are sealed: it was changed")
    if key.state not in ("ACTIVE", "RETIRED"):
        raise BundleInvalid(f"the key {key.key.key_id}, which sealed the passport, is {key.state}")
    return key


def _signature(seal: Mapping[str, Any]) -> bytes:
    return base64.b64decode(seal["signatures"][0]["sig"], validate=True)


def _broken_chain(document: Document, found: Findings) -> Iterator[str]:
    """Yield where a decision is left out: each names the one before it."""
    names = [given["name"] for given in document["decisions"]]
    if len(set(names)) != len(names):
        yield "a decision is there twice"
    for index, name in enumerate(names):
        statement = found.statements.get(name)
        if statement is None:
            continue
        older = names[index + 1] if index + 1 < len(names) else ""
        before = statement["predicate"]["supersedes"]
        if before != older and not (older == "" and document["truncated"]):
            yield f"{name}: the decision before it, {before or 'none'}, is not the one that is there"


def _wrong_content(document: Document) -> Iterator[str]:
    """Yield what does not fit the digest that it is kept under."""
    for name, text in document["facts"].items():
        if digest(text.encode()) != name:
            yield f"the facts {name} are others than their digest says"
    for one in document["policies"]:
        if digest(one["spec"].encode()) != one["digest"]:
            yield f"the policy {one['policy']}@{one['revision']} is another than its digest says"
