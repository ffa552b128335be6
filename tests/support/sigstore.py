"""What tests of bundles share: an instance, an identity, and the question that they ask."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from release_passport_server.adapters.sigstore.checks.examine import examine
from release_passport_server.adapters.sigstore.judgement import judged
from release_passport_server.adapters.sigstore.report import Report
from release_passport_server.domain.attestation import Failed, Verified
from release_passport_server.domain.trust import Match, SignerRule, Trust, TrustedKey, TrustedRoot
from support.dsse import provenance
from support.minisigstore import Identity, MiniSigstore, Spans, as_bytes, statement

ARTIFACT = b"the artifact\n"
DIGEST = f"sha256:{hashlib.sha256(ARTIFACT).hexdigest()}"
OTHER_DIGEST = "sha256:" + "2e" * 32
SLSA = "https://slsa.dev/provenance/v1"
WHO = Identity.github("acme/checkout")
MINI = MiniSigstore()


def about(
    predicate: dict[str, Any] | None = None, predicate_type: str = SLSA, *, digest: str = DIGEST
) -> dict[str, Any]:
    """Return a statement about the artifact."""
    subject = {"checkout.tgz": digest.removeprefix("sha256:")}
    return statement(subject, predicate_type, dict(provenance()) if predicate is None else predicate)


def pinned(content: bytes, ref: str = "mini") -> TrustedRoot:
    """Return a trusted root that is pinned to what it is."""
    return TrustedRoot.pinned(ref, hashlib.sha256(content).hexdigest(), content)


def rule(identity: Identity = WHO, **more: Any) -> SignerRule:
    """Return a rule that trusts this identity."""
    return SignerRule("ci", Match(identity.issuer), identity=Match(identity.san), **more)


def trust(
    *rules: SignerRule,
    keys: tuple[TrustedKey, ...] = (),
    spans: Spans | None = None,
    mini: MiniSigstore = MINI,
) -> Trust:
    """Return a trust configuration for an instance; without rules it trusts the usual identity."""
    return Trust(7, (pinned(mini.trusted_root(spans)),), rules or (rule(),), keys)


def report(bundle: dict[str, Any] | bytes, given: Trust | None = None) -> Report:
    """Examine a bundle in this process."""
    given = given or trust()
    raw = bundle if isinstance(bundle, bytes) else as_bytes(bundle)
    found = examine(raw, [root.content for root in given.roots], [key.pem for key in given.keys])
    # As it comes out of another process.
    return Report.of(found.parts())


def verify(
    bundle: dict[str, Any] | bytes, given: Trust | None = None, *, digest: str = DIGEST, kind: str = ""
) -> Verified | Failed:
    """Verify a bundle in this process."""
    given = given or trust()
    return judged(report(bundle, given), [digest], given, kind)


def code(result: Verified | Failed) -> str:
    """Return a failure's code, with its cause where it has one."""
    assert isinstance(result, Failed), "it was verified"
    return result.code.value if result.cause is None else f"{result.code.value}: {result.cause.value}"


def changed(bundle: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """Return a copy of a bundle with one value replaced; `...` takes it away."""
    copy: dict[str, Any] = json.loads(json.dumps(bundle))
    place: Any = copy
    for step in path[:-1]:
        place = place[step]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return copy
