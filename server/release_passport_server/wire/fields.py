"""Fields that several resources have: ids, labels, globs and texts, each with what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from release_passport_server.domain.errors import Invalid, Violation, invalid
from release_passport_server.domain.ids import SLUG_RULE, is_slug
from release_passport_server.wire.text import text_problem

MAX_TITLE = 200
MAX_LABELS = 32
MAX_LABEL_VALUE = 128
MAX_GLOBS = 100
MAX_ETAG = 128

_LABEL_KEY = re.compile(r"[a-z][a-z0-9_./-]{0,62}")
_GLOB = re.compile(r"[a-z0-9*?-]{1,63}")


def slug_violations(value: str, path: str) -> Iterator[Violation]:
    """Yield what is wrong with an id."""
    if not is_slug(value):
        yield Violation(path, f"must be {SLUG_RULE}")


def text_violations(value: str, path: str, *, most: int, least: int = 0) -> Iterator[Violation]:
    """Yield what is wrong with a text; `least` counts characters other than surrounding space."""
    problem = text_problem(value, max_bytes=most)
    if problem is not None:
        yield Violation(path, problem)
    elif len(value.strip()) < least:
        yield Violation(path, "is required" if least == 1 else f"must have {least} characters or more")


def label_violations(labels: Mapping[str, str], path: str) -> Iterator[Violation]:
    """Yield what is wrong with labels."""
    if len(labels) > MAX_LABELS:
        yield Violation(path, f"must have at most {MAX_LABELS} labels, has {len(labels)}")
        return
    for key in sorted(labels):
        place = f"{path}[{key[:64]!a}]"
        if not _LABEL_KEY.fullmatch(key):
            yield Violation(place, "the key must be [a-z][a-z0-9_./-]{0,62}")
        yield from text_violations(labels[key], place, most=MAX_LABEL_VALUE)


def glob_violations(globs: Sequence[str], path: str) -> Iterator[Violation]:
    """Yield what is wrong with globs over ids."""
    if len(globs) > MAX_GLOBS:
        yield Violation(path, f"must have at most {MAX_GLOBS} globs, has {len(globs)}")
        return
    for index, glob in enumerate(globs):
        if not _GLOB.fullmatch(glob):
            yield Violation(f"{path}[{index}]", "must be a glob over ids: a-z, 0-9, -, * and ?")


def id_in_name(given: str, named: str, path: str) -> Iterator[Violation]:
    """Yield a violation where a resource's id contradicts its name; an id that is left out does not."""
    if given and given != named:
        yield Violation(path, f"contradicts the name, which says {named!r}: leave it out")


def etag_violations(etag: str, path: str) -> Iterator[Violation]:
    """Yield what is wrong with an etag that a change has to have."""
    if not etag:
        yield Violation(path, "is required: read the resource, and send the etag that it had then")
    elif len(etag) > MAX_ETAG:
        yield Violation(path, "is not an etag of this server")


@contextmanager
def every_violation(*readings: Callable[[], object]) -> Iterator[None]:
    """Make Invalid name what is wrong with every part of a request, where it would name the first part alone.

    `readings` are the parts, each to be read by itself; they are read again only where something is wrong.
    """
    try:
        yield
    except Invalid:
        violations: list[Violation] = []
        for read in readings:
            try:
                read()
            except Invalid as error:
                violations += error.violations
        refuse(violations)
        raise


def refuse(violations: Sequence[Violation]) -> None:
    """Raise Invalid with all violations, if there are any."""
    if violations:
        raise invalid(violations)
