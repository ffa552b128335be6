#!/usr/bin/env python3
"""A client for the public conformance suite of Sigstore clients (sigstore/sigstore-conformance, docs/cli_protocol.md).

Run the suite with this file as its entry point. It verifies as the server does; it does not sign, so that the suite's
signing tests are to be skipped. Without `--trusted-root` the public instance's root is taken from the library that the
server pins: nothing is fetched.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import re
import sys
from importlib import resources
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "clients" / "python")]

from release_passport_server.adapters.dsse import DSSEVerifier  # noqa: E402
from release_passport_server.adapters.sigstore.pool import PoolSettings  # noqa: E402
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier  # noqa: E402
from release_passport_server.domain.attestation import Failed, Verified  # noqa: E402
from release_passport_server.domain.trust import Match, SignerRule, Trust, TrustedKey, TrustedRoot  # noqa: E402
from release_passport_server.services.verify_envelope import VerifyEnvelope  # noqa: E402

PRODUCTION = "https://tuf-repo-cdn.sigstore.dev"
STAGING = "https://tuf-repo-cdn.sigstage.dev"
DIGEST = re.compile("sha256:[0-9a-f]{64}")
VERIFIED, REFUSED = 0, 1


def parser() -> argparse.ArgumentParser:
    """Return the commands of the protocol."""
    made = argparse.ArgumentParser(description="Verifies Sigstore bundles for the conformance suite.")
    commands = made.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify-bundle")
    verify.add_argument("--staging", action="store_true")
    verify.add_argument("--bundle", type=Path, required=True)
    verify.add_argument("--certificate-identity")
    verify.add_argument("--certificate-oidc-issuer")
    verify.add_argument("--key", type=Path)
    verify.add_argument("--trusted-root", type=Path)
    verify.add_argument("subject", metavar="FILE_OR_DIGEST")
    sign = commands.add_parser("sign-bundle")
    sign.add_argument("arguments", nargs=argparse.REMAINDER)
    return made


def digests(subject: str) -> list[str]:
    """Return the digests by which a bundle may name the subject."""
    if DIGEST.fullmatch(subject) and not Path(subject).exists():
        return [subject]
    content = Path(subject).read_bytes()
    return [f"{name}:{hashlib.new(name, content).hexdigest()}" for name in ("sha256", "sha384", "sha512")]


def trusted_root(path: Path | None, *, staging: bool) -> TrustedRoot:
    """Return the root that is named, or the public instance's."""
    if path is None:
        folder = quote(STAGING if staging else PRODUCTION, safe="")
        content = resources.files("sigstore._store").joinpath(folder, "trusted_root.json").read_bytes()
    else:
        content = path.read_bytes()
    return TrustedRoot.pinned(str(path or "public"), hashlib.sha256(content).hexdigest(), content)


def trust(asked: argparse.Namespace) -> Trust:
    """Return what trusts the one signer that the suite expects."""
    root = trusted_root(asked.trusted_root, staging=asked.staging)
    if asked.key is not None:
        return Trust(1, (root,), keys=(TrustedKey("expected", asked.key.read_text(encoding="utf-8")),))
    issuer, identity = Match(asked.certificate_oidc_issuer), Match(asked.certificate_identity)
    return Trust(1, (root,), (SignerRule("expected", issuer, identity=identity),))


async def verified(asked: argparse.Namespace) -> Verified | Failed:
    """Verify as the server does, whatever the statement's predicate is."""
    bundles = SigstoreVerifier(PoolSettings(workers=1))
    try:
        verifier = VerifyEnvelope(bundles, DSSEVerifier())
        raw = asked.bundle.read_bytes()
        return await verifier.verify(raw, digests(asked.subject), trust(asked), kind="signature")
    finally:
        await bundles.close()


def main() -> int:
    """Return 0 for a bundle that is verified."""
    asked = parser().parse_args()
    if asked.command != "verify-bundle":
        sys.stderr.write("this client verifies and does not sign\n")
        return 2
    named = asked.certificate_identity is not None and asked.certificate_oidc_issuer is not None
    if (asked.key is None) != named or (asked.key is not None and asked.certificate_identity is not None):
        sys.stderr.write("give an identity with its issuer, or a key, and not both\n")
        return 2
    found = asyncio.run(verified(asked))
    if isinstance(found, Verified):
        sys.stdout.write(f"VERIFIED {found.method} {found.claims.name}\n")
        return VERIFIED
    sys.stderr.write(f"{found.reason}\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
