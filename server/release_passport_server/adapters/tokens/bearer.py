"""Bearer tokens as services use them."""

from __future__ import annotations

from release_passport_server.adapters.tokens import issue_token, parse_token, secret_matches


class BearerTokens:
    """Makes and reads tokens; see the port."""

    def issue(self, token_id: str) -> tuple[str, bytes]:
        """Return the text of a new token and the hash to keep."""
        issued = issue_token(token_id)
        return issued.text, issued.secret_hash

    def token_id(self, text: str) -> str | None:
        """Return the id that a text names, or None for a text that cannot be a token."""
        presented = parse_token(text)
        return None if presented is None else presented.token_id

    def matches(self, text: str, secret_hash: bytes) -> bool:
        """Say whether the text holds the secret that was hashed."""
        presented = parse_token(text)
        return presented is not None and secret_matches(presented, secret_hash)
