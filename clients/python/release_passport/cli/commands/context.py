"""`passport context`: servers by name in the configuration file."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from release_passport.cli.config import ConfigFile, Place, config_path, load_config, save_config
from release_passport.cli.failure import usage


@click.group(short_help="Keep servers by name in the configuration file.")
def context() -> None:
    """Keep servers by name in the configuration file, ~/.config/release-passport/config.yaml."""


@context.command("set", short_help="Make or change a context.")
@click.argument("name")
@click.option("--server", metavar="HOST:PORT", help="Where the server is.")
@click.option("--token-file", metavar="FILE", help="File that holds the token.")
@click.option(
    "--token-stdin", is_flag=True, help="Read the token from standard input and keep it in the file."
)
@click.option("--tenant", metavar="ID", help="Tenant, where not the token's.")
@click.option("--audience", metavar="URI", help="Audience of the CI job's own token.")
@click.option("--ca-file", metavar="FILE", help="CA certificates to trust.")
@click.option("--cert-file", metavar="FILE", help="Client certificate to show.")
@click.option("--key-file", metavar="FILE", help="Its key.")
@click.option("--plaintext/--tls", default=None, help="No TLS, to this machine only; or TLS.")
@click.option("--use", "use_it", is_flag=True, help="Use it from now on.")
def set_context(name: str, token_stdin: bool, use_it: bool, **said: Any) -> None:
    """Make a context, or change what is named of it. The first one is used at once."""
    path = config_path(os.environ)
    config = load_config(path)
    if token_stdin and said["token_file"]:
        raise usage("give --token-file or --token-stdin: one of them")
    token = sys.stdin.readline().strip() if token_stdin else None
    if token_stdin and not token:
        raise usage("standard input has no token")
    for file in ("token_file", "cert_file", "key_file"):
        if said[file]:
            said[file] = str(Path(said[file]).expanduser().absolute())
    place = Place(token=token, **said).over(config.contexts.get(name, Place()))
    if not place.server:
        raise usage("a context needs --server HOST:PORT")
    _check(place)
    contexts = {**config.contexts, name: place}
    save_config(path, ConfigFile(contexts, name if use_it or not config.current else config.current))
    click.echo(f"context {name} is in {path}", err=True)


def _check(place: Place) -> None:
    from release_passport.cli.config import target_of

    # A context that could never be used is refused when it is made; its secrets are not read here.
    target_of(replace(place, token=None, token_file=None, ca_file=None, cert_file=None, key_file=None))


@context.command(short_help="Use a context from now on.")
@click.argument("name")
def use(name: str) -> None:
    """Use a context from now on."""
    path = config_path(os.environ)
    config = load_config(path)
    if name not in config.contexts:
        raise usage(f"there is no context {name!r}; known: {', '.join(sorted(config.contexts)) or 'none'}")
    save_config(path, replace(config, current=name))


@context.command("list", short_help="List contexts.")
@click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True
)
def list_contexts(output: str) -> None:
    """List contexts; tokens are not shown."""
    from release_passport.cli.render.machine import write_data
    from release_passport.cli.render.screen import show
    from release_passport.cli.render.text import table

    config = load_config(config_path(os.environ))
    if output != "table":
        data = [
            {"name": name, "current": name == config.current, **_shown(place)}
            for name, place in _sorted(config)
        ]
        write_data(data, output)
        return
    rows = [
        ("*" * (name == config.current), name, place.server or "", place.tenant or "", _shown(place)["token"])
        for name, place in _sorted(config)
    ]
    show(
        table(
            ("", "context", "server", "tenant", "token"),
            rows,
            empty="no contexts; `passport context set` makes one",
        )
    )


def _sorted(config: ConfigFile) -> list[tuple[str, Place]]:
    return sorted(config.contexts.items())


def _shown(place: Place) -> dict[str, str]:
    token = "kept in the file" if place.token else place.token_file or "none"
    return {"server": place.server or "", "tenant": place.tenant or "", "token": token}
