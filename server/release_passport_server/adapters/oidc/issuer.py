"""What is configured of one issuer of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from release_passport_server.domain.identity import Source
from release_passport_server.domain.outbound import Origin, Reach

# Signatures with a shared secret are not among them: whoever can check one can make one.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)


@dataclass(frozen=True, slots=True)
class Review:
    """Where a Kubernetes API server is asked whether a token still counts."""

    url: str
    token_file: Path


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer: which of its tokens are for this server, and where its keys are."""

    url: str
    audience: str
    algorithms: tuple[str, ...]
    source: Source
    # Where the keys are; empty: the discovery document says it, and must stay with the issuer's own host.
    keys_url: str = ""
    # Tokens for several audiences at once are refused: whoever else takes them could show them here.
    only_audience: bool = True
    leeway: timedelta = timedelta(seconds=60)
    longest_life: timedelta = timedelta(hours=24)
    # The host may be at a private address or on this machine.
    internal: bool = False
    ca_file: Path | None = None
    # File with the bearer token that the keys are fetched with.
    credential_file: Path | None = None
    review: Review | None = None

    @property
    def reach(self) -> Reach:
        """Return where this server goes for the issuer's sake."""
        urls = [self.url] if not self.keys_url else [self.keys_url]
        if self.review is not None:
            urls.append(self.review.url)
        return Reach(tuple(Origin.of(url, internal=self.internal) for url in urls))
