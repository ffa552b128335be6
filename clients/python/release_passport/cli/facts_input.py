"""Evidence from the command line: a subject, a kind, and facts typed by the contract."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from release_passport.cli.failure import usage
from release_passport.cli.resource_names import attempt_name, release_name
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from release_passport.strict_yaml import Mapping, Node
    from release_passport.v1 import evidence_pb2

MAX_ITEMS = 10_000
_CUSTOM = "custom:"
_MAX_BUNDLE_BYTES = 1024 * 1024
_MAX_KEY_BYTES = 16 * 1024


def subject_of(session: Session, said: dict[str, str | None]) -> evidence_pb2.EvidenceSubject:
    """Return the one subject that the --subject-… flags name."""
    from release_passport.v1 import evidence_pb2

    given = {name: value for name, value in said.items() if value}
    if len(given) != 1:
        names = ", ".join(f"--subject-{name}" for name in said)
        raise usage(f"say once what the evidence is about: one of {names}")
    ((name, value),) = given.items()
    if name == "artifact":
        return evidence_pb2.EvidenceSubject(artifact_digest=value.rpartition("@")[2])
    if name == "source":
        return evidence_pb2.EvidenceSubject(source_revision=value)
    if name == "manifest":
        return evidence_pb2.EvidenceSubject(manifest_digest=value)
    if name == "release":
        return evidence_pb2.EvidenceSubject(release=release_name(session, value))
    if name == "attempt":
        return evidence_pb2.EvidenceSubject(attempt=attempt_name(session, value))
    service, separator, environment = value.partition("/")
    if not separator or not service or not environment:
        raise usage(f"--subject-workload takes SERVICE/ENVIRONMENT, not {value[:80]!r}")
    return evidence_pb2.EvidenceSubject(
        workload=evidence_pb2.ServiceEnvironment(service=service, environment=environment)
    )


def fill_facts(
    facts: evidence_pb2.EvidenceFacts, kind: str, pairs: tuple[str, ...], file: Path | None
) -> None:
    """Set the facts of the kind from KEY=VALUE pairs and a file; what does not fit is refused."""
    from release_passport.strict_yaml import Mapping, Place, read_yaml
    from release_passport.yaml_message import MessageReader

    reader = MessageReader(str(file) if file else "--fact", camel_case=True)
    told = read_yaml(file) if file else Mapping({}, {}, Place(1, 1))
    if not isinstance(told, Mapping):
        raise usage(f"{file} must have facts as fields with values")
    if kind.startswith(_CUSTOM):
        facts.custom.kind = kind.removeprefix(_CUSTOM)
        _add_pairs(told, pairs, None)
        wrapped = Mapping({"facts": told}, {"facts": told.place}, told.place)
        reader.fill(facts.custom, wrapped)
    elif kind in facts.DESCRIPTOR.fields_by_name and kind != "custom":
        part: Message = getattr(facts, kind)
        part.SetInParent()
        _add_pairs(told, pairs, part)
        reader.fill(part, told)
    else:
        kinds = ", ".join(sorted(name for name in facts.DESCRIPTOR.fields_by_name if name != "custom"))
        raise usage(f"{kind[:80]!r} is not an evidence kind; there are {kinds} and custom:DOMAIN/NAME")
    reader.finish()


def read_items(path: Path) -> list[evidence_pb2.EvidenceInput]:
    """Return the items of a YAML or JSON file: a list of EvidenceInput, or one under the key `evidence`."""
    from release_passport.strict_yaml import Mapping, Sequence, read_yaml
    from release_passport.v1 import evidence_pb2
    from release_passport.yaml_message import MessageReader

    node = read_yaml(path)
    if isinstance(node, Mapping) and list(node.entries) == ["evidence"]:
        node = node.entries["evidence"]
    nodes = node.items if isinstance(node, Sequence) else [node]
    if len(nodes) > MAX_ITEMS:
        raise usage(f"{path} has {len(nodes)} items; {MAX_ITEMS} is the limit")
    reader = MessageReader(str(path), camel_case=True)
    items = []
    for index, entry in enumerate(nodes):
        item = evidence_pb2.EvidenceInput()
        reader.fill(item, entry, f"evidence[{index}]")
        items.append(with_observe_time(item))
    reader.finish()
    return items


def with_observe_time(item: evidence_pb2.EvidenceInput) -> evidence_pb2.EvidenceInput:
    """Return the item; one that does not say when it was observed is of now."""
    if not item.HasField("observe_time"):
        item.observe_time.FromDatetime(datetime.now(UTC))
    return item


def read_bundle(path: Path) -> bytes:
    """Return a signed envelope byte for byte."""
    return _read(path, _MAX_BUNDLE_BYTES)


def read_key(file: str) -> str:
    """Return a public key in PEM; a private one is refused before it leaves this machine."""
    text = _read(Path(file), _MAX_KEY_BYTES).decode("ascii", "replace")
    if "PRIVATE KEY" in text or "-----BEGIN" not in text:
        raise usage(f"{file} is not a public key in PEM")
    return text


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise usage(f"{path} is larger than {most} bytes")
    return content


def _add_pairs(told: Mapping, pairs: tuple[str, ...], message: Message | None) -> None:
    """Add KEY=VALUE pairs to the facts; a dot goes into a field, and a repeated key makes a list."""
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise usage(f"--fact takes KEY=VALUE, not {pair[:80]!r}")
        node = told
        descriptor = message.DESCRIPTOR if message is not None else None
        *inner, last = key.split(".")
        for name in inner:
            node = _inner(node, name)
            field = descriptor.fields_by_name.get(name) if descriptor is not None else None
            descriptor = field.message_type if field is not None else None
        field = descriptor.fields_by_name.get(last) if descriptor is not None else None
        repeated = field is not None and field.is_repeated
        has_parts = repeated or (field is not None and field.message_type is not None)
        _set_fact(node, last, _value(value, has_parts=has_parts), repeated=repeated)


def _inner(node: Mapping, name: str) -> Mapping:
    from release_passport.strict_yaml import Mapping

    node.places.setdefault(name, node.place)
    inner = node.entries.setdefault(name, Mapping({}, {}, node.place))
    if not isinstance(inner, Mapping):
        raise usage(f"--fact {name[:80]!r} has a value already, and cannot have parts too")
    return inner


def _set_fact(node: Mapping, name: str, value: Node, *, repeated: bool) -> None:
    from release_passport.strict_yaml import Sequence

    node.places.setdefault(name, node.place)
    if repeated and not isinstance(value, Sequence):
        listed = node.entries.setdefault(name, Sequence([], node.place))
        if isinstance(listed, Sequence):
            listed.items.append(value)
    elif name in node.entries:
        raise usage(f"--fact names {name[:80]!r} twice")
    else:
        node.entries[name] = value


def _value(text: str, *, has_parts: bool) -> Node:
    from release_passport.strict_yaml import Place, Scalar, parse_yaml

    if has_parts and text[:1] in {"[", "{"}:
        return parse_yaml(text.encode(), "--fact")
    return Scalar(text, Place(1, 1))
