"""Limits of text that comes from outside."""

from __future__ import annotations

import re

MAX_TEXT_BYTES = 4096
MAX_ID_BYTES = 256

# Terminals and logs act on control characters; a newline and a tab are harmless.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def text_problem(text: str, *, max_bytes: int = MAX_TEXT_BYTES) -> str | None:
    """Return what is wrong with a text, or None."""
    # Nearly every text is short and holds printable characters alone, which is soon told.
    if len(text) <= max_bytes // 4 and text.isprintable():
        return None
    size = len(text.encode())
    if size > max_bytes:
        return f"must be at most {max_bytes} bytes, is {size}"
    found = _CONTROL.search(text)
    if found is not None:
        code = ord(found.group())
        return f"must not contain control characters: found U+{code:04X} at character {found.start()}"
    return None
