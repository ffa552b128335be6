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
    first, *rest = (_fixed(part) for part in re.split(r"\*+", glob))
    if not rest:
        return re.compile(first, re.DOTALL)
    # What stands between stars is taken where it comes first, for good: a hostile glob cannot make the match slow.
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)


def _fixed(part: str) -> str:
    return "".join("." if one == "?" else re.escape(one) for one in part)
