"""What a client certificate says about its holder. Its chain was verified by the TLS handshake."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from release_passport_server.domain.identity import Claims, Source, not_accepted
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.identity import Vouched

T = TypeVar("T", bound=x509.ExtensionType)

MAX_NAMES = 64
# https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
_SPIFFE = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)*)")


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Reads client certificates; see the port."""

    source: Source
    clock: Clock

    def read(self, certificate: bytes) -> Vouched:
        """Return what a certificate proves; raise Unauthenticated where it cannot be read or is past its time."""
        try:
            pem = certificate.startswith(b"-----BEGIN")
            parsed = (x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate)(certificate)
            claims = _claims(parsed)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            raise not_accepted("the client certificate cannot be read") from error
        # Connections outlive the handshake that checked this.
        if not parsed.not_valid_before_utc <= self.clock.now() < parsed.not_valid_after_utc:
            raise not_accepted("the client certificate is not valid at this time")
        return Vouched(self.source, claims, parsed.not_valid_after_utc, f"{parsed.serial_number:x}")


def _claims(certificate: x509.Certificate) -> Claims:
    _require_for_clients(certificate)
    names = _extension(certificate, x509.SubjectAlternativeName)
    found = [] if names is None else list(names)
    if len(found) > MAX_NAMES:
        raise not_accepted(f"the client certificate has more than {MAX_NAMES} names")
    uris = [one.value for one in found if isinstance(one, x509.UniformResourceIdentifier)]
    claims: dict[str, object] = {
        "subject": certificate.subject.rfc4514_string(),
        "dns": [one.value for one in found if isinstance(one, x509.DNSName)],
        "email": [one.value for one in found if isinstance(one, x509.RFC822Name)],
        "uri": uris,
    }
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(common) == 1:
        claims["common_name"] = common[0].value
    # By the standard a certificate has one SPIFFE id, and then no other URI.
    if len(uris) == 1 and (spiffe := _SPIFFE.fullmatch(uris[0])) is not None and _is_plain(spiffe[2]):
        claims |= {"spiffe": uris[0], "trust_domain": spiffe[1], "path": spiffe[2].removeprefix("/")}
    return claims


def _is_plain(path: str) -> bool:
    return not {".", ".."} & set(path.split("/"))


def _require_for_clients(certificate: x509.Certificate) -> None:
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise not_accepted("the client certificate is an authority's")
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and not {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    } & set(purposes):
        raise not_accepted("the client certificate is not made for clients")


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
