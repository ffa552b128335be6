"""From submitted envelopes to what they prove, under what the tenant trusts at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from release_passport_server.domain.attestation import AttestationFailure, Failed, Proof, Verified
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.record import Page
from release_passport_server.domain.trust import Trust, TrustedKey, TrustedRoot
from release_passport_server.ports.attestations import EnvelopeVerifier
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Reader, Store

SERVICES_AT_ONCE = 1000
# What a row keeps of who signed, and of why an envelope proves nothing.
MAX_SIGNER = 256
MAX_REASON = 2000
# The name of a key that a service has registered: which service it is, is asked when something is decided.
SERVICE_KEY = "service-signer"


@dataclass(frozen=True, slots=True)
class VerifyEvidence:
    """Verifies the envelopes of items that come in."""

    store: Store
    verifier: EnvelopeVerifier
    messages: Messages
    # What tenants that have named no trusted root verify against.
    default_roots: tuple[TrustedRoot, ...] = ()

    async def __call__(self, tenant: str, items: Sequence[EvidenceItem]) -> tuple[EvidenceItem, ...]:
        """Return the items with what came of verifying those that have an envelope.

        Raises Unavailable where too many envelopes wait: nothing was found out, so nothing is stored.
        """
        if not any(item.bundle for item in items):
            return tuple(items)
        trust = (await self.store.read(tenant, _trust)).with_defaults(self.default_roots)
        return tuple(await asyncio.gather(*(self._verified(item, trust) for item in items)))

    async def _verified(self, item: EvidenceItem, trust: Trust) -> EvidenceItem:
        if not item.bundle:
            return item
        found = await self.verifier.verify(item.bundle, [item.subject.value], trust, kind=item.kind)
        return _failed(item, found) if isinstance(found, Failed) else self._proven(item, found)

    def _proven(self, item: EvidenceItem, found: Verified) -> EvidenceItem:
        key, facts_digest = self.messages.described(found.kind, found.facts)
        # A signed time counts; the claim may make the item older, never younger.
        times = (item.observe_time, found.statement_time, found.sign_time)
        return replace(
            item,
            facts=found.facts,
            facts_digest=facts_digest,
            key=key,
            verification=Verification.VERIFIED,
            verification_reason="",
            signer=_shown(found.claims.name, MAX_SIGNER),
            observe_time=min(time for time in times if time is not None),
            proof=Proof(
                found.claims,
                found.method,
                found.root,
                self.messages.builder(found.kind, found.facts),
                found.trust_revision,
            ),
        )


def _failed(item: EvidenceItem, found: Failed) -> EvidenceItem:
    if found.code is AttestationFailure.VERIFIER_BUSY:
        text = "too many envelopes wait to be verified, nothing was stored: retry"
        raise Unavailable("OVERLOADED", text, retry_after=1.0)
    return replace(
        item,
        verification=Verification.FAILED,
        verification_reason=_shown(found.reason, MAX_REASON),
        signer=_shown(found.claims.name, MAX_SIGNER) if found.claims else "",
        proof=Proof(found.claims, found.method, trust_revision=found.trust_revision),
    )


def _shown(text: str, most: int) -> str:
    """Return a text as a row can keep it; certificates may hold anything."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:most])


def _trust(reader: Reader) -> Trust:
    """Return what the tenant trusts, and the keys that its services have registered."""
    found = reader.find_trust()
    trust = found.trust if found else Trust()
    return trust.with_keys([TrustedKey(SERVICE_KEY, pem) for pem in _signer_keys(reader)])


def _signer_keys(reader: Reader) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    page = Page(SERVICES_AT_ONCE)
    while True:
        listed = reader.list_services(page)
        keys.update(dict.fromkeys(key for service in listed.items for key in service.signers))
        if not listed.next_after:
            return tuple(keys)
        page = Page(SERVICES_AT_ONCE, listed.next_after)
