"""How much work a regular expression is: RE2 is linear in the text and in the size of the pattern."""

from __future__ import annotations

import re

MAX_LENGTH = 256
MAX_WEIGHT = 1000
_COUNTED = re.compile(r"\{(\d{1,9})(?:,(\d{0,9}))?\}")
_CHOICE = re.compile(r"[*+?|]|\{\d*,")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]?", re.DOTALL)
_ESCAPE = re.compile(r"\\[pP](?:\{\^?\w+\}|.)|\\x\{\w+\}|\\.|\\", re.DOTALL)
# A Unicode class, such as \pL, is several hundred ranges.
_UNICODE_CLASS_WEIGHT = 300


def weight(pattern: str) -> int:
    """Estimate how many instructions the pattern compiles to; a counted repetition multiplies what it repeats."""
    groups = [0]
    last = 0
    index = 0
    while index < len(pattern):
        step, added = 1, 1
        char = pattern[index]
        counted = _COUNTED.match(pattern, index)
        if char == "(":
            groups.append(0)
            last, added = 0, 0
        elif char == ")":
            last = groups.pop() if len(groups) > 1 else 0
            added = last + 1
        elif counted:
            low, high = int(counted[1]), int(counted[2] or 0)
            # Each repetition that may be left out is a branch more.
            added = last * max(low, high, 1) + max(0, high - low)
            step = counted.end() - index
        elif char == "[":
            step = _length(_CLASS, pattern, index)
            added = _class_weight(pattern[index : index + step])
        elif char == "\\":
            step = _length(_ESCAPE, pattern, index)
            added = _class_weight(pattern[index : index + step])
        elif char == ".":
            added = 4
        if char not in "({":
            last = added
        groups[-1] += added
        index += step
    return sum(groups)


def steady(pattern: str) -> bool:
    """Say whether at each place in the text there is one way to go on: no other pattern is slow on a hostile text."""
    # What is repeated at the very end leaves no choice.
    body = re.sub(r"[*+]\$?$", "", pattern)
    return pattern.startswith("^") and _CHOICE.search(body) is None


def _class_weight(text: str) -> int:
    unicode_classes = len(re.findall(r"\\[pP]", text))
    beyond_ascii = not text.isascii() or text.startswith("[^") or re.search(r"\\[DWSxC]", text)
    return (4 if beyond_ascii else 1) + _UNICODE_CLASS_WEIGHT * unicode_classes


def _length(token: re.Pattern[str], pattern: str, index: int) -> int:
    found = token.match(pattern, index)
    return found.end() - index if found else 1
