"""Verifies Sigstore bundles: what is no bundle is turned away here, the rest is examined in the pool, once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Hashable

from release_passport_server.adapters.sigstore.cache import ReportCache
from release_passport_server.adapters.sigstore.frames import FrameInvalid
from release_passport_server.adapters.sigstore.judgement import judged
from release_passport_server.adapters.sigstore.pool import (
    Answer,
    Pool,
    PoolBusy,
    PoolSettings,
    WorkerCrashed,
    WorkerTimeout,
)
from release_passport_server.adapters.sigstore.report import Report
from release_passport_server.adapters.sigstore.screen import screened
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.domain.attestation import Failed, Verified
from release_passport_server.domain.trust import Trust

MAX_ROOTS = 8


class SigstoreVerifier:
    """Verifies bundles against a trust configuration; needs neither network nor files."""

    def __init__(self, settings: PoolSettings | None = None) -> None:
        self._pool = Pool(settings or PoolSettings())
        self._cache = ReportCache()
        self._running: dict[Hashable, Answer] = {}

    async def verify(
        self, bundle: bytes, subjects: Collection[str], trust: Trust, *, kind: str = ""
    ) -> Verified | Failed:
        """Return what a trusted signer vouches for about at least one of these digests, or why nothing."""
        refused = screened(bundle)
        if refused is not None:
            return Failed(*refused, trust_revision=trust.revision)
        return judged(await self._report(bundle, trust), subjects, trust, kind)

    async def close(self) -> None:
        """End the pool's processes."""
        await self._pool.close()

    async def _report(self, bundle: bytes, trust: Trust) -> Report:
        """Return the report on a bundle; the same bundle is examined once, however often and at once it comes."""
        key = (
            hashlib.sha256(bundle).digest(),
            tuple(root.sha256 for root in trust.roots),
            # Tenants count their revisions each from 1: the keys tell them apart.
            tuple(one.pem for one in trust.keys),
            trust.revision,
        )
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        try:
            parts = await asyncio.shield(self._running.get(key) or self._begun(key, bundle, trust))
            report = self._cache.get(key) or Report.of(parts)
        except PoolBusy:
            return Report(Failure.VERIFIER_BUSY, "too many bundles wait to be verified: send it again later")
        except WorkerTimeout:
            return Report(Failure.VERIFIER_TIMEOUT, "verifying it took too long and was stopped")
        except (WorkerCrashed, FrameInvalid):
            return Report(Failure.VERIFIER_CRASHED, "the process that verified it ended; others went on")
        if report.failure is None or Failed(report.failure, "").final:
            self._cache.put(key, report)
        return report

    def _begun(self, key: Hashable, bundle: bytes, trust: Trust) -> Answer:
        head = json.dumps({"keys": [key.pem for key in trust.keys]}).encode()
        answer = self._pool.submit([head, bundle, *(root.content for root in trust.roots[:MAX_ROOTS])])
        self._running[key] = answer
        answer.add_done_callback(lambda _: self._running.pop(key, None))
        return answer
