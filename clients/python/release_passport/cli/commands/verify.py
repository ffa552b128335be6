"""`passport verify`: check an exported passport on any machine, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_passport.cli import exit_codes
from release_passport.cli.failure import CommandFailure, usage
from release_passport.cli.options import DATA

if TYPE_CHECKING:
    from release_passport.bundle.verify import Report
    from release_passport.signatures.key_set import PublishedKey, SeenCheckpoint


@click.command(short_help="Check an exported passport, offline.")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--key-set",
    required=True,
    metavar="FILE",
    help="The service's public keys, from elsewhere than FILE: its /.well-known/release-passport-keys.json.",
)
@click.option(
    "--checkpoint",
    "held",
    metavar="FILE",
    help="A checkpoint of the log that you kept; the time of the file is when you had it.",
)
@click.option("--dev", is_flag=True, help="Let decisions of a server in development mode pass.")
@click.option("--require-replay", is_flag=True, help="Fail where a decision cannot be decided again here.")
@click.option("-o", "--output", type=click.Choice(DATA), default="table", show_default=True, help="Form.")
def verify(file: str, *, key_set: str, held: str | None, dev: bool, require_replay: bool, output: str) -> int:
    """Check an exported passport offline: signatures, log, digests, and each verdict by deciding it again.

    Exit 0 only where all of it holds. To decide again takes the engine: pip install 'release-passport[server]'.
    """
    from release_passport.cli.verifying import read_key_set, require_cryptography

    require_cryptography()
    from release_passport.bundle.form import BundleInvalid
    from release_passport.bundle.verify import verify_bundle

    keys = read_key_set(key_set)
    try:
        report = verify_bundle(_read(file), keys, dev=dev, held=_held(held, keys))
    except BundleInvalid as error:
        raise CommandFailure(f"{file}: {error}") from error
    from release_passport.cli.replaying import replayed

    faults, notes = list(report.faults), list(report.notes)
    if not faults:
        wrong, skipped = replayed(report)
        faults += wrong + (skipped if require_replay else [])
        notes += [] if require_replay else skipped
    _write(report, faults, notes, output)
    return exit_codes.ERROR if faults else exit_codes.OK


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}") from error


def _held(path: str | None, keys: tuple[PublishedKey, ...]) -> list[SeenCheckpoint]:
    """Return the checkpoint that the reader kept."""
    if path is None:
        return []
    from release_passport.cli.verifying import log_keys
    from release_passport.log.checkpoint import open_checkpoint
    from release_passport.log.note import NoteInvalid
    from release_passport.signatures.key_set import SeenCheckpoint

    try:
        note = _read(path).decode()
        origin = note.partition("\n")[0]
        checkpoint = open_checkpoint(note, origin, log_keys(keys, origin))
    except (NoteInvalid, UnicodeDecodeError) as error:
        raise usage(f"{path} is not a checkpoint of this log: {error}") from error
    return [SeenCheckpoint(checkpoint, datetime.fromtimestamp(Path(path).stat().st_mtime, UTC))]


def _write(report: Report, faults: list[str], notes: list[str], output: str) -> None:
    from release_passport.cli.render.machine import write_data
    from release_passport.cli.render.screen import show
    from release_passport.cli.render.text import pairs

    document = report.document
    said: dict[str, object] = {
        "release": document["release"]["name"],
        "exported": document["exportTime"],
        "log": document["log"]["origin"],
        "decisions": len(document["decisions"]),
        "truncated": document["truncated"],
        "sound": not faults,
        "faults": faults,
        "notes": notes,
    }
    if output != "table":
        write_data(said, output)
        return
    words = [(name, str(value)) for name, value in said.items() if isinstance(value, str | int)]
    show(pairs([(n, {"True": "yes", "False": "no"}.get(v, v)) for n, v in words]))
    show(pairs([*(("fault", one) for one in faults), *(("note", one) for one in notes)]))
