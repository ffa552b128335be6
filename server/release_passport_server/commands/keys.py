"""`passport-server keys`: the keys that decisions and logs are signed with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from release_passport_server.adapters.signing.key_folder import KeyFolder
    from release_passport_server.config import Settings
    from release_passport_server.domain.signing_key import SigningKey

_with_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with settings (YAML or TOML).  [PASSPORT_SERVER_CONFIG]",
)


@click.group()
def keys() -> None:
    """List and rotate the signing keys; a running server sees it at once."""


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="The set of public keys as it is published.")
@_with_config
def list_keys(config: Path | None, as_json: bool) -> None:
    """Show every key there is and was, newest first."""
    with _opened(config) as (folder, settings, _):
        if as_json:
            from release_passport_server.domain.signing_key import key_set_document

            document = key_set_document(settings.signing.issuer, folder.public_keys())
            click.echo(json.dumps(document, indent=2))
            return
        for key in folder.public_keys():
            _show(key)


@keys.command()
@click.argument("purpose", type=click.Choice(["decision", "log"]))
@_with_config
def rotate(config: Path | None, purpose: str) -> None:
    """Make a new key for PURPOSE; the one before it retires, and its private half is destroyed."""
    with _opened(config) as (folder, settings, now):
        from release_passport_server.adapters.tlog.anchor_file import AnchorFile
        from release_passport_server.domain.signing_key import Purpose

        # What the key has signed counts as far as a checkpoint from before its end shows it.
        AnchorFile(settings.anchor_folder).keep()
        _show(folder.rotate(Purpose(purpose.upper()), now()))


@keys.command()
@click.argument("key_id")
@click.option(
    "--since", required=True, metavar="TIME", help="From when on somebody else had it: 2026-03-02T10:00:00Z."
)
@_with_config
def compromise(config: Path | None, key_id: str, since: str) -> None:
    """Say that somebody else had the key KEY_ID; an active one gets a successor at once."""
    try:
        time = datetime.fromisoformat(since)
    except ValueError:
        raise click.UsageError("--since is a time such as 2026-03-02T10:00:00Z") from None
    if time.tzinfo is None:
        raise click.UsageError("--since needs its zone, such as Z")
    with _opened(config) as (folder, _, now):
        _show(folder.mark_compromised(key_id, now(), time))


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[KeyFolder, Settings, Callable[[], datetime]]]:
    """Give the keys that the settings name, made where there are none yet."""
    from release_passport_server.adapters.signing.files import KeyFilesInvalid
    from release_passport_server.adapters.signing.key_folder import KeyFolder
    from release_passport_server.adapters.system.clock import SystemClock
    from release_passport_server.config import SettingsInvalid, load
    from release_passport_server.domain.errors import PassportError

    try:
        settings, clock = load(config).settings, SystemClock()
        yield KeyFolder.open(settings.key_folder, clock.now()), settings, clock.now
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error
    except PassportError as error:
        raise click.ClickException(error.message) from error
    except (KeyFilesInvalid, OSError) as error:
        raise click.ClickException(str(error)) from error


def _show(key: SigningKey) -> None:
    from release_passport_server.domain.canonical import stamp

    ended = "" if key.not_after is None else f" until {stamp(key.not_after)}"
    since = "" if key.compromise_time is None else f", compromised since {stamp(key.compromise_time)}"
    line = f"{key.key_id}  {key.purpose.value:<8}  {key.state.value:<11}  from {stamp(key.not_before)}"
    click.echo(line + ended + since)
