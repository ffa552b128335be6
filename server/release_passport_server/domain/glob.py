"""Globs over ids: `*` for any run of characters, `?` for one; everything else stands for itself."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(glob: str, value: str) -> bool:
    """Say whether the whole value fits the glob; case counts."""
    if glob == "*":
        return True
    if "*" not in glob and "?" not in glob:
        return glob == value
    return _pattern(glob).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def any_matches(globs: tuple[str, ...], value: str) -> bool:
    """Say whether the value fits one of the globs; every call to the server asks this several times."""
    return any(matches(glob, value) for glob in globs)


def is_exact(glob: str) -> bool:
    """Say whether a glob can only match itself."""
    return "*" not in glob and "?" not in glob


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    # Runs of stars are one star, so that a hostile glob cannot make the match slow.
    parts = re.split(r"(\*+|\?)", glob)
    return re.compile("".join(_translated(part) for part in parts), re.DOTALL)


def _translated(part: str) -> str:
    if part.startswith("*"):
        return ".*"
    return "." if part == "?" else re.escape(part)
