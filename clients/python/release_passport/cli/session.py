"""What a command works with: the settings that hold, the client, and where its output goes."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import click

from release_passport.cli.config import Place, resolve, target_of
from release_passport.cli.credentials import token_source
from release_passport.cli.failure import usage

if TYPE_CHECKING:
    from release_passport.client import Client
    from release_passport.target import Target


@dataclass
class Session:
    """One run of one command."""

    flags: Place = field(default_factory=Place)
    context: str | None = None
    output: str = "table"
    quiet: bool = False
    timeout: float = 30.0

    @cached_property
    def place(self) -> Place:
        """Return what holds about the server."""
        return resolve(self.flags, self.context, os.environ)

    @cached_property
    def target(self) -> Target:
        """Return the server with what it takes to be let in."""
        target, source = target_of(self.place), token_source(self.place, os.environ)
        return target if source is None else replace(target, fresh_token=source)

    @cached_property
    def client(self) -> Client:
        """Return the client; it connects on the first call."""
        # The C core would write its own lines to standard error before ours.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        from release_passport.client import Client

        client = Client(self.target, timeout=self.timeout)
        if context := click.get_current_context(silent=True):
            context.call_on_close(client.close)
        return client

    @property
    def tenant(self) -> str:
        """Return the tenant for requests; empty means the credential's."""
        return self.place.tenant or ""

    @cached_property
    def own_tenant(self) -> str:
        """Return the tenant for names; asks the server when it is not set."""
        if self.place.tenant:
            return self.place.tenant
        from release_passport.v1 import access_service_pb2

        tenant = self.client.who_am_i(access_service_pb2.WhoAmIRequest()).tenant
        if not tenant:
            raise usage("the credential has no tenant; give --tenant, or the whole name")
        return tenant

    def notice(self, text: str) -> None:
        """Tell people something that is not the result."""
        if not self.quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Tell people something that they must not miss, also with --quiet."""
        from release_passport.cli.render.text import clean

        click.echo(clean(text), err=True)


def is_terminal() -> bool:
    """Say whether standard output is a terminal that people look at."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
