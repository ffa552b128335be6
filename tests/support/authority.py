"""An authority that issues certificates as a test asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
FOR_CLIENTS, FOR_SERVERS = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True)
class Pair:
    """A certificate and its key in PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both, and return where."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        paths[0].write_bytes(self.certificate)
        paths[1].write_bytes(self.key)
        return paths


@dataclass(frozen=True)
class Authority:
    """The authority; two of the same name have different keys."""

    name: str = "Test authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> bytes:
        """Return the authority's own certificate."""
        return self._signed(self.name, self.key.public_key(), ca=True, end=END).public_bytes(Encoding.PEM)

    def issue(
        self,
        name: str,
        *names: x509.GeneralName,
        ca: bool = False,
        end: datetime = END,
        purposes: Sequence[ObjectIdentifier] = (),
    ) -> Pair:
        """Return a certificate with these names, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(name, key.public_key(), names, ca=ca, end=end, purposes=purposes)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pair(made.public_bytes(Encoding.PEM), secret)

    def server(self) -> Pair:
        """Return the certificate of a server on this machine."""
        return self.issue(
            "localhost",
            x509.DNSName("localhost"),
            x509.IPAddress(ip_address("127.0.0.1")),
            purposes=[FOR_SERVERS],
        )

    def _signed(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        names: Sequence[x509.GeneralName] = (),
        *,
        ca: bool,
        end: datetime,
        purposes: Sequence[ObjectIdentifier] = (),
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGIN)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def spiffe(path: str, domain: str = "prod.test") -> x509.UniformResourceIdentifier:
    """Return a SPIFFE id as a name of a certificate."""
    return x509.UniformResourceIdentifier(f"spiffe://{domain}/{path}")
