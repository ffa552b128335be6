"""What services need of bearer tokens as text."""

from __future__ import annotations

from typing import Protocol


class Tokens(Protocol):
    """Makes and reads bearer tokens; only a hash of the secret is ever kept."""

    def issue(self, token_id: str) -> tuple[str, bytes]:
        """Return the text of a new token, to be shown once, and the hash to keep."""
        ...

    def token_id(self, text: str) -> str | None:
        """Return the id that a text names, or None for a text that cannot be a token."""
        ...

    def matches(self, text: str, secret_hash: bytes) -> bool:
        """Say whether the text holds the secret that was hashed, in a time that tells nothing."""
        ...
