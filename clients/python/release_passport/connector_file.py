"""A connector as a YAML file: `apiVersion`, `kind` and `spec` with the fields of a Connector in snake_case."""

from __future__ import annotations

from pathlib import Path

from release_passport.strict_yaml import FileInvalid, Mapping, Problem, Scalar, read_yaml
from release_passport.v1 import connector_pb2
from release_passport.yaml_message import MessageReader

API_VERSION = "release-passport.dev/v1"
KIND = "Connector"
_TOP = ("apiVersion", "kind", "spec")
_SPEC = (
    *("title", "kind", "service", "environment", "endpoint", "credential"),
    *("interval", "settings", "paused"),
)


def read_connector_file(path: Path) -> connector_pb2.Connector:
    """Return the connector of a file; FileInvalid names everything that is wrong, with its place."""
    file, node = str(path), read_yaml(path)
    reader = MessageReader(file)
    if not isinstance(node, Mapping):
        raise FileInvalid([Problem(file, node.place, "must be fields: apiVersion, kind, spec")])
    _only(reader, node, _TOP)
    for key, word in (("apiVersion", API_VERSION), ("kind", KIND)):
        value = node.entries.get(key)
        if not isinstance(value, Scalar) or value.text != word:
            reader.refuse(value.place if value else node.place, f"{key} must be {word}")
    found, spec = connector_pb2.Connector(), node.entries.get("spec")
    if not isinstance(spec, Mapping):
        reader.refuse(spec.place if spec else node.place, "spec must have kind, service and environment")
    else:
        _only(reader, spec, _SPEC)
        reader.finish()
        reader.fill(found, spec)
    reader.finish()
    return found


def _only(reader: MessageReader, node: Mapping, names: tuple[str, ...]) -> None:
    for key in node.entries:
        if key not in names:
            reader.refuse(node.places[key], f"{key[:80]!r} is not one of {', '.join(names)}")
