"""Bundles with a short-lived certificate, stage by stage (sigstore client specification, "Verification")."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store
from cryptography.x509.verification import VerificationError as ChainError

from release_passport_server.adapters.sigstore.checks.bundle import Bundle
from release_passport_server.adapters.sigstore.checks.certificate import (
    SCTS,
    Leaf,
    check_profile,
    claims_of,
    load_certificate,
)
from release_passport_server.adapters.sigstore.checks.content import check_content
from release_passport_server.adapters.sigstore.checks.library import sct_is_good
from release_passport_server.adapters.sigstore.checks.log import (
    check_inclusion,
    check_window,
    known_log,
    method_of,
    one_entry,
)
from release_passport_server.adapters.sigstore.checks.proven import Proven
from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.adapters.sigstore.checks.roots import Root, Window
from release_passport_server.adapters.sigstore.checks.times import promised_time, stamped_times
from release_passport_server.domain.attestation import AttestationFailure as Failure

# The library's defaults ask for client authentication; what these keys are for is checked by the profile.
_AUTHORITY = ExtensionPolicy.webpki_defaults_ca().may_be_present(
    x509.ExtendedKeyUsage, Criticality.NON_CRITICAL, None
)
_LEAF = ExtensionPolicy.webpki_defaults_ee().may_be_present(
    x509.ExtendedKeyUsage, Criticality.NON_CRITICAL, None
)


def verify_keyless(bundle: Bundle, root: Root) -> Proven:
    """Return who signed, how that is known, and when; raise Refused at the first stage that says no."""
    entry = one_entry(bundle)
    log = known_log(entry, root)
    promised, stamped = promised_time(entry, log), stamped_times(bundle, root)
    times = [*([promised] if promised else []), *stamped]
    if not times:
        if bundle.timestamps:
            raise Refused(
                Failure.TIMESTAMP_UNTRUSTED, "no trusted authority made the timestamps, or not in its time"
            )
        raise Refused(Failure.TIME_MISSING, "neither a log nor a timestamp authority signed a time")
    check_window(log, times)
    leaf = load_certificate(bundle.certificate)
    chain = _chain(leaf.certificate, root, times)
    _check_sct(leaf, chain, root)
    check_profile(leaf)
    check_inclusion(bundle, entry, log, promised=promised is not None)
    subjects = check_content(bundle, entry, public_key_of(leaf.certificate), leaf.certificate)
    return Proven(
        claims=claims_of(leaf),
        subjects=subjects,
        method=f"sigstore-bundle+{method_of(entry, stamped=bool(stamped))}",
        sign_time=min(times),
        log_index=entry.log_index,
        root=root.sha256,
    )


def public_key_of(certificate: x509.Certificate) -> object:
    """Return the certificate's key; raise Refused for one of an unknown kind."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(Failure.KEY_UNSUPPORTED, "the certificate's key is of an unknown kind") from error


def _chain(certificate: x509.Certificate, root: Root, times: list[datetime]) -> list[x509.Certificate]:
    """Return the authorities above the certificate, which all counted when the signature was made."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not Window(start, end).holds(times):
        text = f"the certificate was valid from {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}"
        raise Refused(
            Failure.CERTIFICATE_EXPIRED, f"{text}, the signature was made at {times[0]:%Y-%m-%dT%H:%M:%SZ}"
        )
    store = root.store(times)
    chain = None
    for time in times:
        chain = None if store is None else _path(certificate, store, time)
        if chain is None:
            break
    if chain is not None:
        return chain
    every = root.store(None)
    if every is not None and _path(certificate, every, times[0]) is not None:
        raise Refused(
            Failure.CA_RETIRED, "the certificate's authority did not count when the signature was made"
        )
    raise Refused(Failure.CERTIFICATE_UNTRUSTED, "no authority of the trusted root issued the certificate")


def _path(certificate: x509.Certificate, store: Store, time: datetime) -> list[x509.Certificate] | None:
    policy = PolicyBuilder().store(store).time(time.astimezone(UTC).replace(tzinfo=None))
    verifier = policy.extension_policies(ca_policy=_AUTHORITY, ee_policy=_LEAF).build_client_verifier()
    try:
        # The first is the certificate itself: it must not be an authority's own.
        return list(verifier.verify(certificate, []).chain[1:]) or None
    except (ChainError, x509.UnsupportedGeneralNameType, ValueError):
        return None


def _check_sct(leaf: Leaf, chain: list[x509.Certificate], root: Root) -> None:
    """Raise Refused unless a certificate transparency log that counted has seen the certificate."""
    listed = leaf.extensions.get(SCTS)
    found = list(listed) if isinstance(listed, x509.PrecertificateSignedCertificateTimestamps) else []
    if not found:
        raise Refused(Failure.SCT_MISSING, "the certificate is in no certificate transparency log")
    if len(found) > 1:
        raise Refused(Failure.SCT_INVALID, "the certificate must have one signed certificate timestamp")
    log = root.ct_log(found[0].log_id)
    if log is None:
        text = f"the trusted root has no certificate transparency log {found[0].log_id.hex()}"
        raise Refused(Failure.SCT_LOG_UNKNOWN, text)
    if not log.window.holds([leaf.certificate.not_valid_before_utc, found[0].timestamp.replace(tzinfo=UTC)]):
        raise Refused(
            Failure.CT_KEY_RETIRED, "the transparency log's key did not count when it saw the certificate"
        )
    if not sct_is_good(found[0], leaf.certificate, chain[0], log.value.key):
        raise Refused(Failure.SCT_INVALID, "the transparency log did not sign this certificate")
