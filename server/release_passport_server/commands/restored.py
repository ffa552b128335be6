"""`passport-server restored`: what to do with a store that was put back to an earlier state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from release_passport_server.ports.log import Setback
    from release_passport_server.services.restored import Restored

T = TypeVar("T")

_with_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with settings (YAML or TOML).  [PASSPORT_SERVER_CONFIG]",
)


@click.group()
def restored() -> None:
    """Look at a store that was put back to an earlier state, and begin its new epoch; no server may run."""


@restored.command()
@_with_config
def review(config: Path | None) -> None:
    """Show what was lost, and what people did in the week before it: exit 1 where the store was put back."""
    found = _done(config, lambda service: service.review())
    if not found.setbacks:
        click.echo("this store has all that was anchored", err=True)
        return
    for one in found.setbacks:
        _show(one)
    click.echo("before tokens are given out again, look at what was done, and may have been undone since:")
    for tenant, entry in found.to_look_at:
        when = entry.time.isoformat(timespec="seconds")
        click.echo(f"  {tenant}  {when}  {entry.principal}  {entry.action}  {entry.subject}")
    raise SystemExit(1)


@restored.command()
@_with_config
def accept(config: Path | None) -> None:
    """Begin a new epoch with this store: every token, role and permit is void, the logs go on under a new name.

    Prints the token of an admin for each tenant, this once.
    """
    done = _done(config, lambda service: service.accept())
    click.echo(
        f"epoch {done.epoch} began; {done.revoked} tokens were revoked, roles were taken away, permits are void. Look "
        "through policies, waivers and services, and only then give out roles and tokens; these tokens are of "
        "user:admin, shown this once:",
        err=True,
    )
    for tenant, secret in done.secrets:
        click.echo(f"{tenant} {secret}")


@restored.command()
@_with_config
def adopt(config: Path | None) -> None:
    """Say that this store is the newest there was: anchor its logs, of which nothing was anchored here."""
    for one in _done(config, lambda service: service.adopt()):
        click.echo(f"{one.origin}: anchored with {one.size} leaves", err=True)


def _show(one: Setback) -> None:
    since = "" if one.anchor_time is None else f" at {one.anchor_time.isoformat(timespec='seconds')}"
    click.echo(
        f"{one.origin}: {one.kind.value}: it has {one.size} leaves; anchored were {one.anchored_size}"
        f" of {one.anchored_origin}{since}"
    )


def _done(config: Path | None, act: Callable[[Restored], Awaitable[T]]) -> T:
    """Return what comes of it; what people can mend is a line on stderr."""
    from release_passport_server import bootstrap
    from release_passport_server.adapters.signing.files import KeyFilesInvalid
    from release_passport_server.config import SettingsInvalid, load
    from release_passport_server.domain.errors import PassportError
    from release_passport_server.ports.log import LogBroken
    from release_passport_server.services.restored import RestoreRefused

    async def run() -> T:
        async with bootstrap.restored(load(config).settings) as service:
            return await act(service)

    try:
        return asyncio.run(run())
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error
    except PassportError as error:
        raise click.ClickException(error.message) from error
    except (KeyFilesInvalid, LogBroken, RestoreRefused, OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
