"""Policies as YAML files: `apiVersion`, `kind`, `metadata.name` and `spec`, which is PolicySpec in snake_case.

Durations are texts such as 24h, enum values have their short names, and a field that the contract does not know is
refused with file, line and column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from release_passport.strict_yaml import (
    FileInvalid,
    Mapping,
    Node,
    Place,
    Problem,
    Scalar,
    parse_yaml,
    read_yaml,
)
from release_passport.v1 import policy_pb2
from release_passport.yaml_message import MessageReader

API_VERSION = "release-passport.dev/v1"
KIND = "Policy"
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_TOP = {"apiVersion", "kind", "metadata", "spec"}


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy, and where each of its fields stands in the file."""

    file: str
    policy: policy_pb2.Policy
    nodes: dict[str, Node]

    def place_of(self, field: str, line: int = 0, column: int = 0) -> Place:
        """Return where a field of the spec stands, and inside an expression the given line and column."""
        path = re.sub(r"^(policy\.)?(spec\.)?", "", field)
        while path and path not in self.nodes:
            path = re.sub(r"(\.[^.\[]*|\[\d+\]|^[^.\[]*)$", "", path)
        node = self.nodes.get(path)
        if node is None:
            return Place(1, 1)
        if isinstance(node, Scalar) and line > 0 and node.block:
            return Place(node.place.line + line, max(column, 1))
        if isinstance(node, Scalar) and line == 1 and "\n" not in node.text:
            return Place(node.place.line, node.place.column + max(column - 1, 0) + (0 if node.plain else 1))
        return node.place


def load_policy_file(path: Path) -> policy_pb2.Policy:
    """Return the policy of a file; FileInvalid names everything that is wrong, with file, line and column."""
    return read_policy_file(path).policy


def read_policy_file(path: Path) -> PolicyDocument:
    """Return the policy of a file together with the places of its fields."""
    return policy_from_node(read_yaml(path), str(path))


def parse_policy(content: bytes, file: str = "<policy>") -> PolicyDocument:
    """Return the policy of a text; `file` is its name in messages."""
    return policy_from_node(parse_yaml(content, file), file)


def policy_from_node(node: Node, file: str) -> PolicyDocument:
    """Return the policy that a document says."""
    reader = MessageReader(file)
    if not isinstance(node, Mapping):
        raise FileInvalid([Problem(file, node.place, "must be fields: apiVersion, kind, metadata, spec")])
    for key in node.entries.keys() - _TOP:
        reader.refuse(node.places[key], f"{key[:80]!r} is not one of apiVersion, kind, metadata, spec")
    _expect_word(reader, node, "apiVersion", API_VERSION)
    _expect_word(reader, node, "kind", KIND)
    policy = policy_pb2.Policy(policy_id=_name(reader, node))
    spec = node.entries.get("spec")
    if spec is None:
        reader.refuse(node.place, "spec is missing")
    else:
        reader.fill(policy.spec, spec)
    reader.finish()
    return PolicyDocument(file, policy, reader.nodes)


def _expect_word(reader: MessageReader, node: Mapping, key: str, word: str) -> None:
    value = node.entries.get(key)
    if not isinstance(value, Scalar) or value.text != word:
        reader.refuse(value.place if value else node.place, f"{key} must be {word}")


def _name(reader: MessageReader, node: Mapping) -> str:
    metadata = node.entries.get("metadata")
    if not isinstance(metadata, Mapping):
        reader.refuse(metadata.place if metadata else node.place, "metadata must have a name")
        return ""
    for key in metadata.entries.keys() - {"name"}:
        reader.refuse(metadata.places[key], f"{key[:80]!r} is not a field of metadata; there is only name")
    name = metadata.entries.get("name")
    if not isinstance(name, Scalar) or not _NAME.fullmatch(name.text):
        place = name.place if name else metadata.place
        reader.refuse(place, "metadata.name must be 1 to 63 of a-z, 0-9 and -, and begin with a letter")
        return ""
    return name.text
