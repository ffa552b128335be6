"""That a transparency log has the signature: whose log, in its time, with a proof under a signed tree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from release_passport_server.adapters.sigstore.checks.bundle import Bundle, LogEntry
from release_passport_server.adapters.sigstore.checks.library import checkpoint_is_good, inclusion_is_good
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.adapters.sigstore.checks.roots import During, LogKey, Root
from release_passport_server.domain.attestation import AttestationFailure as Failure


def one_entry(bundle: Bundle) -> LogEntry:
    """Return the bundle's log entry; raise Refused unless there is exactly one."""
    if not bundle.entries:
        raise Refused(Failure.LOG_ENTRY_MISSING, "the signature is in no transparency log")
    if len(bundle.entries) > 1:
        raise Refused(Failure.BUNDLE_UNSUPPORTED, "a bundle must have one log entry")
    return bundle.entries[0]


def known_log(entry: LogEntry, root: Root) -> During[LogKey]:
    """Return the log that the entry names; raise Refused if the root does not have it."""
    log = root.log(entry.log_id)
    if log is None:
        raise Refused(Failure.LOG_UNKNOWN, f"the trusted root has no log {entry.log_id.hex()[:64]}")
    return log


def check_window(log: During[LogKey], times: Sequence[datetime]) -> None:
    """Raise Refused unless the log's key counted at these times."""
    if not log.window.holds(times):
        raise Refused(Failure.LOG_KEY_RETIRED, "the log's key did not count when the signature was made")


def check_inclusion(bundle: Bundle, entry: LogEntry, log: During[LogKey], *, promised: bool) -> None:
    """Raise Refused unless the log's tree has the entry, or, in bundles of version 0.1, its promise says so."""
    proof = entry.proof
    if bundle.version == "0.1":
        if not promised:
            raise Refused(Failure.LOG_PROMISE_INVALID, "a bundle of version 0.1 must have the log's promise")
        if proof is None or not proof.checkpoint:
            # Written before logs gave proofs with every entry: the promise, which is verified, has to do.
            return
    if proof is None or not proof.checkpoint:
        raise Refused(Failure.LOG_PROOF_MISSING, "the log entry has no inclusion proof with a checkpoint")
    if not inclusion_is_good(proof, entry.body):
        raise Refused(
            Failure.LOG_PROOF_INVALID, "the inclusion proof does not lead from the entry to its root"
        )
    ids = [entry.log_id, *(log.value.ids - {entry.log_id})]
    if not any(checkpoint_is_good(proof, log.value.ring, key_id) for key_id in ids):
        raise Refused(Failure.LOG_CHECKPOINT_INVALID, "the checkpoint is not the log's, or of another tree")


def method_of(entry: LogEntry, *, stamped: bool) -> str:
    """Return how the log and the authorities were used, for a report."""
    tiled = entry.kind != "intoto" and entry.version == "0.0.2"
    return f"{'rekor-v2' if tiled else 'rekor-v1'}{'+tsa' if stamped else ''}"
