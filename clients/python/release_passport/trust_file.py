"""What a tenant trusts as a YAML file: `apiVersion`, `kind` and `spec` with roots, rules and keys in snake_case.

A root whose content is not written out is the file that its `ref` names, beside this one. Fields that the contract does
not know are refused with file, line and column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Contents
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from release_passport.strict_yaml import FileInvalid, Mapping, Node, Place, Problem, Scalar, read_yaml
from release_passport.v1 import trust_pb2
from release_passport.yaml_message import MessageReader

API_VERSION = "release-passport.dev/v1"
KIND = "Trust"
MAX_ROOT_BYTES = 256 * 1024
_TOP = ("apiVersion", "kind", "spec")
_SPEC = ("roots", "rules", "keys")


def read_trust_file(path: Path, known: Contents[str, bytes]) -> trust_pb2.TrustConfiguration:
    """Return the configuration of a file; FileInvalid names everything that is wrong, with its place.

    `known` are roots by digest that need not be read again: those of the configuration that stands.
    """
    file, node = str(path), read_yaml(path)
    reader = MessageReader(file)
    if not isinstance(node, Mapping):
        raise FileInvalid([Problem(file, node.place, "must be fields: apiVersion, kind, spec")])
    _only(reader, node, _TOP)
    for key, word in (("apiVersion", API_VERSION), ("kind", KIND)):
        value = node.entries.get(key)
        if not isinstance(value, Scalar) or value.text != word:
            reader.refuse(value.place if value else node.place, f"{key} must be {word}")
    found = trust_pb2.TrustConfiguration()
    spec = node.entries.get("spec")
    if not isinstance(spec, Mapping):
        reader.refuse(spec.place if spec else node.place, "spec must have roots, rules or keys")
    else:
        _only(reader, spec, _SPEC)
        reader.finish()
        reader.fill(found, spec)
    for index, root in enumerate(found.roots):
        _load(reader, root, path.parent, known, f"roots[{index}]")
    reader.finish()
    return found


def trust_yaml(trust: trust_pb2.TrustConfiguration) -> str:
    """Return the configuration as a file that can be applied: roots stand by their digests alone."""
    import yaml

    spec = {
        "roots": [{"ref": root.ref, "sha256": root.sha256} for root in trust.roots],
        "rules": [_fields(rule) for rule in trust.rules],
        "keys": [_fields(key) for key in trust.keys],
    }
    document = {"apiVersion": API_VERSION, "kind": KIND, "spec": {key: of for key, of in spec.items() if of}}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _only(reader: MessageReader, node: Mapping, keys: tuple[str, ...]) -> None:
    for key in node.entries.keys() - set(keys):
        reader.refuse(node.places[key], f"{key[:80]!r} is not one of {', '.join(keys)}")


def _load(
    reader: MessageReader,
    root: trust_pb2.TrustedRoot,
    folder: Path,
    known: Contents[str, bytes],
    path: str,
) -> None:
    """Set a root's content where it is not written out, and hold it to the digest that is pinned."""
    place = _place(reader.nodes.get(path))
    if not root.sha256:
        reader.refuse(place, f"{path}.sha256 is missing: the digest of the root, from a second source")
        return
    if not root.content:
        root.content = known.get(root.sha256, b"")
    if not root.content:
        try:
            with (folder / root.ref).open("rb") as stream:
                root.content = stream.read(MAX_ROOT_BYTES + 1)
        except OSError as error:
            reader.refuse(place, f"{path}.ref: {root.ref!r} cannot be read: {error.strerror}")
            return
    digest = f"sha256:{hashlib.sha256(root.content).hexdigest()}"
    if digest != root.sha256:
        reader.refuse(place, f"{path}.sha256: the root is {digest}, which is not what is pinned")


def _place(node: Node | None) -> Place:
    return Place(1, 1) if node is None else node.place


def _fields(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.is_repeated:
            found[field.name] = list(value)
        else:
            found[field.name] = _fields(value) if isinstance(value, Message) else value
    return found
