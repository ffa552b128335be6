"""What services need of signed envelopes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from release_passport_server.domain.attestation import AttestationResult, Claim, Failed, Verified
from release_passport_server.domain.trust import Trust


class AttestationVerifier(Protocol):
    """Verifies what a pipeline signed; methods use the processor for up to some 50 ms and touch nothing else."""

    def verify(
        self, bundle: bytes, subject_digest: str, keys: Sequence[str], *, kind: str = ""
    ) -> AttestationResult:
        """Return the facts that one of the keys (public, in PEM) signed about this digest ("sha256:…").

        A kind names the facts that the submitter claims to send: others fail, and `signature` asks for the facts of
        the signature itself, whatever the statement is about. Bad input never raises: it is a FAILED result.
        """
        ...

    def key_problem(self, key: str) -> str | None:
        """Return why this cannot be registered as a signer's public key, or None."""
        ...

    def key_signer(self, key: str) -> str:
        """Return the signer as results name it, "key:sha256:…"; raise ValueError for a key with a problem."""
        ...


class EnvelopeVerifier(Protocol):
    """Verifies any envelope against a trust configuration, without a network; the work is done elsewhere meanwhile."""

    async def verify(
        self, bundle: bytes, subjects: Collection[str], trust: Trust, *, kind: str = ""
    ) -> Verified | Failed:
        """Return what a trusted signer vouches for about at least one of these digests ("sha256:…"), or why nothing.

        A kind names the facts that the submitter claims to send: others fail, and `signature` asks for the facts of
        the signature itself, whatever the statement is about. Neither bad input nor a broken verifier raises.
        """
        ...


class ClaimReader(Protocol):
    """Reads what an envelope says that it is, before anything of it is verified."""

    def claim(self, body: bytes) -> Claim:
        """Return what a Sigstore bundle or DSSE envelope claims to be; bad input never raises."""
        ...
