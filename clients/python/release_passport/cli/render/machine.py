"""Messages as JSON and YAML for programs, in protobuf's JSON mapping."""

from __future__ import annotations

import json
from typing import Any

import click
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def as_data(message: Message) -> dict[str, Any]:
    """Return the message in protobuf's JSON mapping, lowerCamelCase."""
    data: dict[str, Any] = MessageToDict(message)
    return data


def write_data(data: object, form: str) -> None:
    """Write data to standard output as json or yaml."""
    if form == "json":
        # ASCII only: no server text can reach the terminal as anything but letters.
        click.echo(json.dumps(data, indent=2))
        return
    import yaml

    click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=False, width=110), nl=False)


def write_message(message: Message, form: str) -> None:
    """Write one message to standard output as json or yaml."""
    write_data(as_data(message), form)
