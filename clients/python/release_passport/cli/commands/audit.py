"""`passport audit`: what was done, and whether the record of it is whole."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_passport.cli import exit_codes
from release_passport.cli.commands.duties import duties
from release_passport.cli.failure import CommandFailure, usage
from release_passport.cli.options import TIME, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from release_passport.cli.log_download import Files
    from release_passport.cli.log_records import Records
    from release_passport.log.audit import Fault
    from release_passport.log.checkpoint import Checkpoint
    from release_passport.v1 import audit_pb2, audit_service_pb2


@click.group(short_help="Read the audit log, and check that it is whole.")
def audit() -> None:
    """Read the audit log, and check that it is whole."""


audit.add_command(duties)


@audit.command("list", short_help="List what was done, oldest first.")
@click.option("--subject", default="", metavar="NAME", help="What was acted on, as the list names it.")
@click.option("--from-time", type=TIME, metavar="TIME", help="Leave out what is older.")
@click.option("--to-time", type=TIME, metavar="TIME", help="Leave out what is as old or newer.")
@click.option("--from-leaf", default=0, metavar="NUMBER", help="Leave out what stands before this leaf.")
@limit_option
@connected()
def list_entries(
    session: Session,
    *,
    subject: str,
    from_time: datetime | None,
    to_time: datetime | None,
    from_leaf: int,
    limit: int,
) -> None:
    """List what was done by whom, oldest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render.text import table
    from release_passport.cli.render.view import time_words
    from release_passport.v1 import audit_service_pb2

    request = audit_service_pb2.ListAuditEntriesRequest(
        tenant=session.tenant, subject=subject, from_leaf=from_leaf
    )
    for name, time in (("from_time", from_time), ("to_time", to_time)):
        if time is not None:
            getattr(request, name).FromDatetime(time)
    found = read_pages(session, session.client.list_audit_entries, request, "entries", limit)
    rows = [
        (str(one.leaf_index), time_words(one.time), one.principal, one.action, one.subject) for one in found
    ]
    headers = ("leaf", "time", "principal", "action", "subject")
    emit_list(session, found, table(headers, rows, empty="no entries"))


@audit.command(short_help="Follow what is done, as it is done.")
@click.option("--from-leaf", type=int, metavar="NUMBER", help="Begin with this leaf; default: what is new.")
@click.option("--limit", type=click.IntRange(1), metavar="NUMBER", help="End after so many entries.")
@connected(("table", "json"))
def tail(session: Session, *, from_leaf: int | None, limit: int | None) -> int:
    """Show each entry when it is written, a line each, until interrupted; goes on when the server comes back."""
    from itertools import islice

    from release_passport.following import follow_audit

    if from_leaf is not None and from_leaf < 0:
        raise usage("--from-leaf is the number of a leaf")
    first = _written(session) if from_leaf is None else from_leaf
    entries = follow_audit(session.client, first, tenant=session.tenant)
    for one in islice(entries, limit):
        _write_entry(session, one)
    return exit_codes.OK


def _write_entry(session: Session, entry: audit_pb2.AuditEntry) -> None:
    """Write a line, which whoever reads it gets at once."""
    from release_passport.cli.render.machine import as_data
    from release_passport.cli.render.screen import show
    from release_passport.cli.render.text import pairs
    from release_passport.cli.render.view import time_words

    if session.output == "table":
        words = (time_words(entry.time), entry.principal, entry.action, entry.subject)
        show(pairs([(str(entry.leaf_index), "  ".join(words))]))
    else:
        click.echo(json.dumps(as_data(entry)))
    sys.stdout.flush()


def _written(session: Session) -> int:
    """Return how many entries there are now."""
    from release_passport.v1 import audit_service_pb2

    request = audit_service_pb2.GetCheckpointRequest(tenant=session.tenant)
    answer = session.client.get_checkpoint(request)
    return answer.size + answer.pending


@audit.command(short_help="Check that the audit log is whole.")
@click.option("--from", "first", default=0, metavar="LEAF", help="Begin with the tile of this leaf.")
@click.option("--to", "end", type=int, metavar="LEAF", help="End before this leaf.")
@click.option(
    "--key-set",
    metavar="FILE",
    help="Public keys, from elsewhere than this server: its /.well-known/release-passport-keys.json of before.",
)
@click.option(
    "--checkpoint",
    "held",
    metavar="FILE",
    help="Where the checkpoint of the last audit is kept: it must be continued, and is replaced then.",
)
@click.option(
    "--bundle",
    metavar="FILE",
    help="Check the entries of an exported passport, without a server; needs --key-set.",
)
@click.option(
    "--decisions",
    is_flag=True,
    help="Compare each decision and its envelope with the log too, and decide it again; two calls for each.",
)
@connected()
def verify(
    session: Session,
    *,
    first: int,
    end: int | None,
    key_set: str | None,
    held: str | None,
    bundle: str | None,
    decisions: bool,
) -> int:
    """Compare every entry with the log's tree and its signed checkpoint; exit 0 only where all of it fits."""
    from release_passport.cli.verifying import require_cryptography

    if first < 0 or (end is not None and end <= first):
        raise usage("--from and --to are leaves, and --to is behind --from")
    require_cryptography()
    if bundle is not None:
        return _verify_bundle(session, bundle, first=first, end=end, key_set=key_set, held=held)
    from release_passport.cli.log_download import Files, Rows, first_of_tile
    from release_passport.cli.log_records import Records
    from release_passport.v1 import audit_service_pb2

    answer = session.client.get_checkpoint(audit_service_pb2.GetCheckpointRequest(tenant=session.tenant))
    checkpoint = _opened(session, answer, key_set)
    files, begin = Files(session, checkpoint.size), first_of_tile(first)
    rows = Rows(session, begin, end)
    records = Records(session, rows, decisions=decisions)
    fault = _fork(files, checkpoint, held) or _earliest(
        _compared(records, files, checkpoint, begin, end), rows.fault, records.fault
    )
    if fault is None and held is not None:
        Path(held).write_bytes(answer.checkpoint)
    _write(session, checkpoint, answer.pending, rows.count, fault)
    return exit_codes.OK if fault is None else exit_codes.ERROR


def _verify_bundle(
    session: Session, path: str, *, first: int, end: int | None, key_set: str | None, held: str | None
) -> int:
    """Check what a passport says of the log; nobody is asked."""
    if key_set is None:
        raise usage("--bundle needs --key-set: what is in the passport cannot vouch for itself")
    from release_passport.bundle.audit import audit_bundle
    from release_passport.bundle.form import BundleInvalid
    from release_passport.cli.verifying import read_key_set
    from release_passport.log.note import NoteInvalid

    try:
        raw, keys = Path(path).read_bytes(), read_key_set(key_set)
        found = audit_bundle(raw, keys, _held(held), first=first, end=end)
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}") from error
    except (BundleInvalid, NoteInvalid) as error:
        raise CommandFailure(f"{path}: {error}") from error
    _write(session, found.checkpoint, None, found.entries, found.fault)
    return exit_codes.OK if found.fault is None else exit_codes.ERROR


def _opened(
    session: Session, answer: audit_service_pb2.GetCheckpointResponse, path: str | None
) -> Checkpoint:
    """Return the checkpoint, signed by a key that counts."""
    from release_passport.cli.verifying import log_keys, read_key_set
    from release_passport.log.checkpoint import open_checkpoint
    from release_passport.log.note import NoteInvalid
    from release_passport.signatures.key_set import KeySetInvalid, parse_key_set

    try:
        if path is None:
            session.notice("the keys are the server's own: with --key-set they are from elsewhere")
        keys = parse_key_set(answer.key_set) if path is None else read_key_set(path)
        note = answer.checkpoint.decode()
        return open_checkpoint(note, answer.origin, log_keys(keys, answer.origin))
    except (NoteInvalid, KeySetInvalid, UnicodeDecodeError) as error:
        raise CommandFailure(f"the checkpoint of the log is not to be trusted: {error}") from error


def _fork(files: Files, checkpoint: Checkpoint, held: str | None) -> Fault | None:
    """Return how the log denies the checkpoint of the last audit."""
    from release_passport.log.audit import find_fork

    before = _held(held)
    return None if before is None else find_fork(files.read, checkpoint, before)


def _held(path: str | None) -> Checkpoint | None:
    """Return the checkpoint of the last audit, None where there was none."""
    from release_passport.log.checkpoint import parse_checkpoint
    from release_passport.log.note import NoteInvalid

    if path is None or not Path(path).exists():
        return None
    try:
        # It was verified when it was kept; what it says is held against the log as it is now.
        return parse_checkpoint(Path(path).read_text(encoding="utf-8").partition("\n\n")[0] + "\n")
    except (NoteInvalid, OSError, UnicodeDecodeError) as error:
        raise usage(f"{path} is not a checkpoint: {error}") from error


def _compared(
    rows: Records, files: Files, checkpoint: Checkpoint, begin: int, end: int | None
) -> Fault | None:
    from release_passport.log.audit import find_fault, find_fault_between

    if end is not None:
        return find_fault_between(rows, files.read, checkpoint, first=begin, end=end)
    return find_fault(rows, files.read, checkpoint, first=begin)


def _earliest(*faults: Fault | None) -> Fault | None:
    """Return the fault with the lowest index: of the tree, of the columns beside a body, or of a record."""
    return min((one for one in faults if one is not None), key=lambda one: one.index, default=None)


def _write(
    session: Session, checkpoint: Checkpoint, pending: int | None, count: int, fault: Fault | None
) -> None:
    from release_passport.cli.render.machine import write_data
    from release_passport.cli.render.screen import show
    from release_passport.cli.render.text import pairs

    said: dict[str, object] = {
        "log": checkpoint.origin,
        "size": checkpoint.size,
    }
    if pending is not None:
        said["pending"] = pending
    said |= {
        "entries": count,
        "sound": fault is None,
    }
    if fault is not None:
        said |= {"index": fault.index, "code": fault.code.value, "fault": fault.text}
    if session.output == "table":
        show(pairs([(name, _word(value)) for name, value in said.items()]))
    else:
        write_data(said, session.output)


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
