"""`passport-server`: make a store, serve it, keep it."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_passport_server.commands.keys import keys
from release_passport_server.commands.restored import restored

if TYPE_CHECKING:
    from release_passport_server.config import Loaded, Settings

# Settings and commands that are wrong end with 2, what failed while running with 1.
_USAGE = 2


class _Refused(click.ClickException):
    exit_code = _USAGE


_with_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with settings (YAML or TOML).  [PASSPORT_SERVER_CONFIG]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Serve Release Passport."""


@main.command()
@click.option("--tenant", default="default", show_default=True, help="Id of the first tenant.")
@_with_config
def init(config: Path | None, tenant: str) -> None:
    """Make the store, the first tenant and its admin token, which is printed this once."""
    with _told():
        settings = _load(config).settings
        from release_passport_server import bootstrap

        token = asyncio.run(bootstrap.init(settings, tenant))
    click.echo(f"made tenant {tenant}; the token of its admin (user:admin), shown this once:", err=True)
    click.echo(token)


@main.command()
@click.option(
    "--dev", is_flag=True, help="No tokens, on loopback, with a store of its own: to try things out."
)
@click.option(
    "--insecure-behind-proxy",
    is_flag=True,
    help="Listen beyond loopback without TLS, because a proxy in front ends it.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Serve with so many processes on the same ports; needs PostgreSQL.",
)
@click.option(
    "--roles",
    metavar="ROLES",
    help="What to serve: some of api, watch, worker, with commas between; default: all. Needs PostgreSQL.",
)
@click.option("--shared-ports", is_flag=True, hidden=True, help="One of several processes.")
@_with_config
def serve(
    config: Path | None,
    *,
    dev: bool,
    insecure_behind_proxy: bool,
    processes: int,
    roles: str | None,
    shared_ports: bool,
) -> None:
    """Serve until SIGTERM; calls in flight may end."""
    if dev and insecure_behind_proxy:
        raise click.UsageError("--dev and --insecure-behind-proxy exclude each other")
    if dev and processes > 1:
        raise click.UsageError("--dev and --processes exclude each other: one process has the embedded store")
    # What is made until the server serves is there for good: nothing of it is garbage to look for.
    gc.disable()
    with _told():
        loaded = _load(config, dev=dev)
        from release_passport_server import bootstrap, logs
        from release_passport_server.config import require_protected

        require_protected(loaded.settings, insecure_behind_proxy=insecure_behind_proxy)
        chosen = bootstrap.chosen_roles(loaded.settings, roles)
        logs.configure(loaded.settings.log.level)
        if processes > 1:
            from release_passport_server.commands.processes import serve_with

            given = ["--config", str(config)] if config else []
            given += ["--insecure-behind-proxy"] if insecure_behind_proxy else []
            given += ["--roles", roles] if roles is not None else []
            raise SystemExit(serve_with(processes, loaded.settings, given))
        code = asyncio.run(
            bootstrap.serve(
                loaded.settings,
                dev=dev,
                behind_proxy=insecure_behind_proxy,
                shared_ports=shared_ports,
                roles=chosen,
            )
        )
    raise SystemExit(code)


@main.command()
@_with_config
def migrate(config: Path | None) -> None:
    """Bring the store's schema to this version; does nothing where it is."""
    with _told():
        settings = _load(config).settings
        from release_passport_server import bootstrap

        asyncio.run(bootstrap.migrate(settings))
    click.echo("the schema is current", err=True)


@main.command("check-config")
@_with_config
def check_config(config: Path | None) -> None:
    """Print every setting in effect and where it comes from; passwords are in files and are not read."""
    from release_passport_server.config import SettingsInvalid, all_settings, load, require_protected

    with _told():
        loaded = load(config)
    for setting in all_settings():
        section, name = setting.path.split(".")
        value = getattr(getattr(loaded.settings, section), name)
        shown = "" if value is None else str(value)
        click.echo(
            f"{f'{setting.path}: {shown}'.rstrip():<56}  # {loaded.origins.get(setting.path, 'default')}"
        )
    for path in _files_of(loaded.settings):
        if not os.access(path, os.R_OK):
            raise _Refused(f"{path} cannot be read")
    with _told():
        from release_passport_server import federation

        federation.check(loaded.settings)
    try:
        require_protected(loaded.settings, insecure_behind_proxy=False)
    except SettingsInvalid as error:
        click.echo(f"note: {error}", err=True)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_with_config
def backup(config: Path | None, file: Path) -> None:
    """Write a checked copy of the embedded store to FILE; the server may be running."""
    with _told():
        from release_passport_server.adapters.sqlite.backup import back_up

        back_up(_embedded(config, "pg_dump, or better a base backup with WAL archiving"), file)
    click.echo(f"wrote {file}", err=True)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_with_config
def restore(config: Path | None, file: Path) -> None:
    """Put the copy FILE in the place of the embedded store, which must not be there."""
    with _told():
        target = _embedded(config, "pg_restore, or point-in-time recovery")
        from release_passport_server.adapters.sql.engine import FileLock
        from release_passport_server.adapters.sqlite.backup import restore as put_back

        with FileLock(target):
            put_back(file, target)
    click.echo(f"restored {target}", err=True)


@main.command()
def version() -> None:
    """Print the version."""
    from release_passport import __version__

    click.echo(__version__)


def _load(config: Path | None, *, dev: bool = False) -> Loaded:
    from dataclasses import replace

    from release_passport_server.config import inside_kubernetes, load
    from release_passport_server.dev_mode import dev_settings, require_dev, require_no_dev

    # The store and what lies beside it is nobody else's to read.
    os.umask(0o077)
    loaded = load(config)
    if not dev:
        require_no_dev(loaded.settings)
        return loaded
    settings = dev_settings(loaded.settings, store_is_set="store.url" in loaded.origins)
    require_dev(settings, in_kubernetes=inside_kubernetes())
    return replace(loaded, settings=settings)


def _embedded(config: Path | None, instead: str) -> Path:
    from release_passport_server.config import load

    path = load(config).settings.store.sqlite_path
    if path is None:
        raise _Refused(f"store.url is PostgreSQL: use its own tools, {instead}; see server/README.md")
    return path


def _files_of(settings: Settings) -> Iterator[Path]:
    for listener in (settings.grpc, settings.http):
        for path in (listener.tls_certificate, listener.tls_key, listener.tls_client_ca):
            if path is not None:
                yield path
    if settings.store.password_file is not None:
        yield settings.store.password_file


@contextmanager
def _told() -> Iterator[None]:
    """Turn what people can mend into a line on stderr."""
    from release_passport_server.adapters.signing.files import KeyFilesInvalid
    from release_passport_server.adapters.sqlite.backup import BackupRefused
    from release_passport_server.config import SettingsInvalid
    from release_passport_server.domain.errors import PassportError

    try:
        yield
    except SettingsInvalid as error:
        raise _Refused(str(error)) from error
    except PassportError as error:
        raise click.ClickException(error.message) from error
    except (BackupRefused, KeyFilesInvalid, OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error


main.add_command(keys)
main.add_command(restored)

if __name__ == "__main__":
    main()
