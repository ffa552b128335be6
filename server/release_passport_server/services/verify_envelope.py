"""Sends each envelope to the verifier that knows its form: Sigstore bundles to one, bare DSSE envelopes to another."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from release_passport_server.domain.attestation import (
    AttestationFailure,
    AttestationResult,
    Failed,
    SignerClaims,
    Verified,
)
from release_passport_server.domain.evidence import Verification
from release_passport_server.domain.trust import Trust, TrustedKey
from release_passport_server.ports.attestations import AttestationVerifier, EnvelopeVerifier

METHOD = "dsse+key"
# Each digest that is asked for costs a verification of its own.
MAX_SUBJECTS = 100


@dataclass(frozen=True, slots=True)
class VerifyEnvelope:
    """Verifies whatever was submitted; itself an EnvelopeVerifier."""

    bundles: EnvelopeVerifier
    keyed: AttestationVerifier

    async def verify(
        self, bundle: bytes, subjects: Collection[str], trust: Trust, *, kind: str = ""
    ) -> Verified | Failed:
        """Return what a trusted signer vouches for about at least one of these digests, or why nothing."""
        # An envelope's payload is in base 64: the name of this field can stand in a bundle alone.
        if b'"verificationMaterial"' in bundle:
            return await self.bundles.verify(bundle, subjects, trust, kind=kind)
        return await asyncio.to_thread(self._keyed, bundle, subjects, trust, kind)

    def _keyed(self, bundle: bytes, subjects: Collection[str], trust: Trust, kind: str) -> Verified | Failed:
        keys = [key.pem for key in trust.keys]
        results: dict[str, AttestationResult] = {}
        for subject in sorted(subjects)[:MAX_SUBJECTS]:
            results[subject] = self.keyed.verify(bundle, subject, keys, kind=kind)
            if results[subject].state is Verification.FAILED and not _is_about_another(results[subject]):
                break
        good = {subject: one for subject, one in results.items() if one.state is Verification.VERIFIED}
        if not good:
            return _refused(list(results.values()), trust)
        result = next(iter(good.values()))
        vouchers = tuple(
            key.name for key in self._owners(result.signer, trust) if key.scope.has_kind(result.facts_kind)
        )
        claims = SignerClaims(key_id=result.signer.removeprefix("key:"))
        if not vouchers:
            return Failed(
                AttestationFailure.SIGNER_NOT_TRUSTED,
                f"{result.signer} may not vouch for {result.facts_kind}",
                cause=AttestationFailure.KIND_NOT_VOUCHED,
                claims=claims,
                method=METHOD,
                trust_revision=trust.revision,
            )
        return Verified(
            claims=claims,
            vouchers=vouchers,
            method=METHOD,
            kind=result.facts_kind,
            facts=result.facts,
            subjects=tuple(good),
            statement_time=result.statement_time,
            trust_revision=trust.revision,
        )

    def _owners(self, signer: str, trust: Trust) -> list[TrustedKey]:
        usable = [key for key in trust.keys if self.keyed.key_problem(key.pem) is None]
        return [key for key in usable if self.keyed.key_signer(key.pem) == signer]


def _is_about_another(result: AttestationResult) -> bool:
    return result.reason.startswith(f"{AttestationFailure.SUBJECT_MISMATCH}:")


def _refused(results: list[AttestationResult], trust: Trust) -> Failed:
    if not results:
        text = "no digest was asked for"
        return Failed(AttestationFailure.SUBJECT_MISMATCH, text, trust_revision=trust.revision)
    code, _, text = results[-1].reason.partition(": ")
    signer = results[-1].signer
    claims = SignerClaims(key_id=signer.removeprefix("key:")) if signer else None
    return Failed(AttestationFailure(code), text, claims=claims, method=METHOD, trust_revision=trust.revision)
