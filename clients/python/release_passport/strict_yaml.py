"""YAML as a configuration should be: no aliases, no tags, no duplicate keys, bounded, and every node with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml.events import Event

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file: line and column from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file, with its place."""

    file: str
    place: Place
    text: str

    def __str__(self) -> str:
        """Return the line that editors can jump from."""
        return f"{self.file}:{self.place.line}:{self.place.column}: {self.text}"


class FileInvalid(Exception):
    """A file cannot be used; `problems` says why, all at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it is written; `plain` when it has no quotes, `block` when it begins on the next line."""

    text: str
    place: Place
    plain: bool = True
    block: bool = False

    @property
    def is_null(self) -> bool:
        """Say whether the value is written as nothing."""
        return self.plain and self.text in {"", "~", "null"}


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: list[Node]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Nodes by key, in the order of the file, and where the keys stand."""

    entries: dict[str, Node]
    places: dict[str, Place]
    place: Place


Node = Scalar | Sequence | Mapping


def read_yaml(path: Path) -> Node:
    """Return the one document of a file; FileInvalid says what is wrong with it."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileInvalid([Problem(str(path), Place(1, 1), f"cannot be read: {reason}")]) from error
    return parse_yaml(content, str(path))


def parse_yaml(content: bytes, file: str) -> Node:
    """Return the one document of a text; `file` is its name in messages."""
    import yaml

    if len(content) > MAX_BYTES:
        raise FileInvalid([Problem(file, Place(1, 1), "is larger than 1 MiB")])
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Place(content.count(b"\n", 0, error.start) + 1, 1)
        raise FileInvalid([Problem(file, place, "is not UTF-8")]) from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(yaml.parse(text, Loader=loader), file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise FileInvalid([Problem(file, place, error.problem or "is not YAML")]) from error
    except yaml.YAMLError as error:
        raise FileInvalid(
            [Problem(file, Place(1, 1), "has a character that YAML does not permit")]
        ) from error


class _Composer:
    """Builds nodes from parser events, and refuses what a reader could take for something else."""

    def __init__(self, events: Iterator[Event], file: str) -> None:
        self._events = events
        self._file = file
        self._nodes = 0

    def document(self) -> Node:
        import yaml

        next(self._events)
        if isinstance(start := next(self._events), yaml.StreamEndEvent):
            raise self._refuse(start, "is empty")
        node = self._node(next(self._events), 0)
        next(self._events)
        if not isinstance(end := next(self._events), yaml.StreamEndEvent):
            raise self._refuse(end, "a second document is not read; keep one document a file")
        return node

    def _node(self, event: Event, depth: int) -> Node:
        import yaml

        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._refuse(event, f"more than {MAX_NODES} values")
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, "aliases (*name) are not read; write the value out")
        if getattr(event, "anchor", None):
            raise self._refuse(event, "anchors (&name) are not read; remove it")
        if getattr(event, "tag", None) not in {None, "!"}:
            raise self._refuse(event, "tags (!name) are not read; remove it")
        if isinstance(event, yaml.ScalarEvent):
            plain = not event.style  # None or empty, by parser
            return Scalar(event.value, _place(event), plain, block=event.style in {"|", ">"})
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _sequence(self, start: Event, depth: int) -> Sequence:
        import yaml

        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(items, _place(start))

    def _mapping(self, start: Event, depth: int) -> Mapping:
        import yaml

        found = Mapping({}, {}, _place(start))
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self._refuse(event, "a key must be a word")
            if key.text in found.entries:
                raise self._refuse(event, f"{key.text[:80]!r} stands here twice")
            if key.plain and key.text == "<<":
                raise self._refuse(event, "merge keys (<<) are not read; write the values out")
            found.places[key.text] = key.place
            found.entries[key.text] = self._node(next(self._events), depth + 1)
        return found

    def _refuse(self, event: Event, text: str) -> FileInvalid:
        return FileInvalid([Problem(self._file, _place(event), text)])


def _place(event: Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
