"""Audits the log of an exported passport: it is signed by itself, so neither the seal nor a server is asked."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from release_passport.bundle.form import BundleInvalid, Document, parse_bundle
from release_passport.log.audit import Fault, FaultCode, goes_on_as
from release_passport.log.checkpoint import Checkpoint, open_checkpoint
from release_passport.log.merkle import (
    ProofInvalid,
    commitment,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from release_passport.log.note import NoteInvalid, VerifierKey
from release_passport.log.proof import parse_proof
from release_passport.signatures.key_set import PublishedKey

_SOUND = ("ACTIVE", "RETIRED")


@dataclass(frozen=True, slots=True)
class AuditedBundle:
    """The checkpoint of a passport, how many of its entries were looked at, and the first that is wrong."""

    checkpoint: Checkpoint
    entries: int
    fault: Fault | None


def audit_bundle(
    raw: bytes,
    keys: Sequence[PublishedKey],
    held: Checkpoint | None = None,
    *,
    first: int = 0,
    end: int | None = None,
) -> AuditedBundle:
    """Return what is wrong with the entries from `first` up to `end`; raise BundleInvalid for what is no passport.

    `held` is a checkpoint that the auditor kept: the passport's must be shown to continue it. Raises NoteInvalid for
    a checkpoint that no key of the log signed.
    """
    document = parse_bundle(raw)
    try:
        origin = document["log"]["origin"]
        known = [VerifierKey(origin, k.key.raw) for k in keys if k.purpose == "LOG" and k.state in _SOUND]
        checkpoint = open_checkpoint(document["log"]["checkpoint"], origin, known)
        entries = sorted((_entry(one, checkpoint) for one in document["decisions"]), key=lambda one: one[0])
        wanted = [one for one in entries if first <= one[0] and (end is None or one[0] < end)]
        faults = [fault for _, fault in wanted if fault is not None]
        if held is not None and (fork := _fork(document["log"], checkpoint, held)) is not None:
            faults.insert(0, fork)
        return AuditedBundle(checkpoint, len(wanted), min(faults, key=lambda one: one.index, default=None))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, BundleInvalid | NoteInvalid):
            raise
        raise BundleInvalid("a part of the passport's log is missing or is not what it should be") from error


def _entry(given: Document, checkpoint: Checkpoint) -> tuple[int, Fault | None]:
    """Return the leaf that an entry says to be, and what is wrong with it."""
    entry, name = given["entry"], given["name"]
    try:
        proof = parse_proof(entry["proof"])
    except ProofInvalid as error:
        return 0, Fault(0, FaultCode.ENTRY_DIFFERS, f"{name}: {error}")
    if entry["body"] is None or entry["salt"] is None:
        return proof.index, Fault(proof.index, FaultCode.ENTRY_DIFFERS, f"{name}: its entry was purged")
    leaf = leaf_hash(commitment(base64.b64decode(entry["salt"], validate=True), entry["body"].encode()))
    try:
        verify_inclusion(proof.index, checkpoint.size, leaf, proof.hashes, checkpoint.root)
    except ProofInvalid as error:
        text = f"{name}: its entry is not leaf {proof.index} of the checkpoint: {error}"
        return proof.index, Fault(proof.index, FaultCode.LEAF_DIFFERS, text)
    return proof.index, None


def _fork(log: Document, checkpoint: Checkpoint, held: Checkpoint) -> Fault | None:
    """Return why the passport's checkpoint is not shown to continue one that was kept."""
    if not goes_on_as(held.origin, checkpoint.origin):
        text = f"the passport is of the log {checkpoint.origin}, and the checkpoint of {held.origin}"
        return Fault(0, FaultCode.FORKED, text)
    same = (held.size, held.root) == (checkpoint.size, checkpoint.root)
    if same or held.size == 0:
        return None
    if held.size == checkpoint.size:
        return Fault(0, FaultCode.FORKED, f"two checkpoints of {held.size} leaves have different roots")
    for one in log["anchors"]:
        stem = one["checkpoint"].split("\n", 3)
        if stem[1:3] == [str(held.size), base64.b64encode(held.root).decode()]:
            hashes = [base64.b64decode(text, validate=True) for text in one["hashes"]]
            try:
                verify_consistency(held.size, checkpoint.size, hashes, held.root, checkpoint.root)
            except ProofInvalid as error:
                return Fault(
                    0, FaultCode.FORKED, f"it does not continue the checkpoint of {held.size}: {error}"
                )
            return None
    text = (
        f"nothing in the passport leads from the checkpoint of {held.size} leaves to its own of {checkpoint.size}: "
        "ask the server, `passport audit verify --checkpoint FILE`"
    )
    return Fault(min(held.size, checkpoint.size), FaultCode.NOT_SHOWN, text)
