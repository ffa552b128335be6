"""Verification of signed evidence as the settings have it."""

from __future__ import annotations

from release_passport_server.adapters.sigstore.pool import PoolSettings
from release_passport_server.adapters.sigstore.root_file import read_root
from release_passport_server.adapters.sigstore.verifier import SigstoreVerifier
from release_passport_server.config import SettingsInvalid, VerificationSettings
from release_passport_server.domain.trust import TrustedRoot, TrustedRootMismatch


def bundle_verifier(settings: VerificationSettings) -> SigstoreVerifier:
    """Return the verifier of bundles; its processes begin with the first bundle."""
    memory = settings.memory_megabytes * 1024 * 1024
    return SigstoreVerifier(
        PoolSettings(workers=settings.processes, timeout=settings.timeout_seconds, memory_bytes=memory)
    )


def default_roots(settings: VerificationSettings) -> tuple[TrustedRoot, ...]:
    """Return what tenants that have named no trusted root verify against; raise SettingsInvalid."""
    if settings.trusted_root is None:
        return ()
    try:
        return (read_root(settings.trusted_root, settings.trusted_root_sha256),)
    except OSError as error:
        text = f"verification.trusted_root: {settings.trusted_root} cannot be read: {error.strerror}"
        raise SettingsInvalid(text) from error
    except TrustedRootMismatch as error:
        raise SettingsInvalid(f"verification.trusted_root_sha256: {error}") from error
