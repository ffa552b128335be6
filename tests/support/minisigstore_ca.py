"""The authorities of a Sigstore instance for tests: Fulcio with its certificate transparency log, and a TSA."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from support.der import integer, octets, oid, sequence, set_of, tlv, utf8
from support.minisigstore_log import spki

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
_ARC = "1.3.6.1.4.1.57264.1."
# Fulcio's extensions by number (sigstore/fulcio, docs/oid-info.md): 1 to 6 are bare bytes, the others UTF8Strings.
CLAIMS = {
    "build_signer_uri": 9,
    "build_signer_digest": 10,
    "runner_environment": 11,
    "source_repository_uri": 12,
    "source_repository_digest": 13,
    "source_repository_ref": 14,
    "source_repository_identifier": 15,
    "source_repository_owner_uri": 16,
    "source_repository_owner_identifier": 17,
    "build_config_uri": 18,
    "build_config_digest": 19,
    "build_trigger": 20,
    "run_invocation_uri": 21,
    "source_repository_visibility": 22,
}
OLD_CLAIMS = {"gh_trigger": 2, "gh_sha": 3, "gh_name": 4, "gh_repository": 5, "gh_ref": 6}
_SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"))
_ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"))


@dataclass(frozen=True)
class Identity:
    """What the OIDC token said: the certificate's name, its issuer, and Fulcio's claims."""

    # A URI if it has "://", an address otherwise.
    san: str
    issuer: str = GITHUB_ISSUER
    claims: dict[str, str] = field(default_factory=dict)

    @classmethod
    def github(
        cls,
        repository: str,
        *,
        workflow: str = "release.yml",
        ref: str = "refs/heads/main",
        sha: str = "a" * 40,
        signer: str | None = None,
        trigger: str = "push",
        runner: str = "github-hosted",
        repository_id: str = "1001",
    ) -> Identity:
        """Return a GitHub Actions identity; `signer` is a reusable workflow's, where that signs."""
        base = f"https://github.com/{repository}"
        config = f"{base}/.github/workflows/{workflow}@{ref}"
        claims = {
            "gh_trigger": trigger,
            "gh_sha": sha,
            "gh_name": workflow,
            "gh_repository": repository,
            "gh_ref": ref,
            "build_signer_uri": signer or config,
            "build_signer_digest": sha,
            "runner_environment": runner,
            "source_repository_uri": base,
            "source_repository_digest": sha,
            "source_repository_ref": ref,
            "source_repository_identifier": repository_id,
            "source_repository_owner_uri": base.rpartition("/")[0],
            "source_repository_owner_identifier": "2002",
            "build_config_uri": config,
            "build_config_digest": sha,
            "build_trigger": trigger,
            "run_invocation_uri": f"{base}/actions/runs/1/attempts/1",
            "source_repository_visibility": "public",
        }
        return cls(signer or config, GITHUB_ISSUER, claims)

    def only_old_claims(self) -> Identity:
        """Return the identity as certificates had it before 2023."""
        return replace(self, claims={name: text for name, text in self.claims.items() if name in OLD_CLAIMS})


@dataclass(frozen=True)
class Leaf:
    """How a signing certificate differs from a right one."""

    minutes: int = 10
    scts: int = 1
    usage: ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING
    digital_signature: bool = True
    more_names: tuple[str, ...] = ()
    # An issuer in the newer extension that contradicts the older one.
    other_issuer: str = ""


def name_of(org: str, common: str) -> x509.Name:
    attributes = ((NameOID.ORGANIZATION_NAME, org), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])


def usage(**on: bool) -> x509.KeyUsage:
    """Return a key usage with nothing but this."""
    names = (
        *(
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
        ),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def builder(
    subject: x509.Name, issuer: x509.Name, public: Any, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    empty = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    numbered = empty.serial_number(x509.random_serial_number())
    return numbered.not_valid_before(start).not_valid_after(end)


class Authority:
    """A root with an intermediate for signing code, and the log that sees what it issues."""

    def __init__(self, org: str, start: datetime, end: datetime) -> None:
        self.root_key, self.key, self.ct_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.root = self._issue_ca(name_of(org, "mini-root"), self.root_key, None, (start, end))
        self.certificate = self._issue_ca(
            name_of(org, "mini-intermediate"), self.key, self.root, (start, end)
        )

    @property
    def ct_log_id(self) -> bytes:
        return hashlib.sha256(spki(self.ct_key.public_key())).digest()

    def _issue_ca(
        self, name: x509.Name, key: Any, parent: x509.Certificate | None, span: tuple[datetime, datetime]
    ) -> x509.Certificate:
        made = builder(name, parent.subject if parent else name, key.public_key(), *span)
        made = made.add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        made = made.add_extension(x509.BasicConstraints(True, 0 if parent else 1), critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        if parent is not None:
            made = made.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            above = x509.AuthorityKeyIdentifier.from_issuer_public_key(parent.public_key())  # type: ignore[arg-type]
            made = made.add_extension(above, critical=False)
        return made.sign(self.root_key, hashes.SHA256())

    def issue(self, identity: Identity, public: Any, at: datetime, leaf: Leaf) -> x509.Certificate:
        """Return a signing certificate with its embedded SCTs: first the precertificate, then the certificate."""
        made = builder(
            x509.Name([]), self.certificate.subject, public, at, at + timedelta(minutes=leaf.minutes)
        )
        signs = leaf.digital_signature
        made = made.add_extension(usage(digital_signature=signs, key_agreement=not signs), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([leaf.usage]), critical=False)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = made.add_extension(above, critical=False)
        names = [_general_name(name) for name in (identity.san, *leaf.more_names)]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=True)
        for number, value in _claims(identity, leaf):
            extension = x509.UnrecognizedExtension(ObjectIdentifier(_ARC + str(number)), value)
            made = made.add_extension(extension, critical=False)
        if leaf.scts:
            # What is signed is the certificate without this extension.
            seen = made.sign(self.key, hashes.SHA256()).tbs_certificate_bytes
            one = self._sct(seen, at)
            listed = b"".join(struct.pack("!H", len(one)) + one for _ in range(leaf.scts))
            value = octets(struct.pack("!H", len(listed)) + listed)
            extension = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), value)
            made = made.add_extension(extension, critical=False)
        return made.sign(self.key, hashes.SHA256())

    def _sct(self, tbs: bytes, at: datetime) -> bytes:
        time = int(at.timestamp() * 1000)
        issuer = hashlib.sha256(spki(self.key.public_key())).digest()
        entry = issuer + len(tbs).to_bytes(3, "big") + tbs + b"\0\0"
        signature = self.ct_key.sign(struct.pack("!BBQH", 0, 0, time, 1) + entry, ec.ECDSA(hashes.SHA256()))
        head = b"\0" + self.ct_log_id + struct.pack("!QH", time, 0)
        return head + b"\x04\x03" + struct.pack("!H", len(signature)) + signature


class TimestampAuthority:
    """Signs times (RFC 3161); its CMS is written by hand."""

    def __init__(self, org: str, start: datetime, end: datetime) -> None:
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root_name = name_of(org, "mini-tsa-root")
        root = builder(root_name, root_name, self.root_key.public_key(), start, end)
        root = root.add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        root = root.add_extension(x509.BasicConstraints(True, 0), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.root_key.public_key())
        self.root = root.add_extension(identifier, critical=False).sign(self.root_key, hashes.SHA256())
        leaf = builder(name_of(org, "mini-tsa"), root_name, self.key.public_key(), start, end)
        leaf = leaf.add_extension(usage(digital_signature=True), critical=True)
        leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        leaf = leaf.add_extension(identifier, critical=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key())
        self.certificate = leaf.add_extension(above, critical=False).sign(self.root_key, hashes.SHA256())

    def stamp(self, message: bytes, at: datetime) -> bytes:
        """Return a response over a message."""
        time = at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()
        info = sequence(
            integer(1),
            oid("1.3.6.1.4.1.57264.2"),
            sequence(_SHA256, octets(hashlib.sha256(message).digest())),
            integer(x509.random_serial_number()),
            tlv(0x18, time),
        )
        certificate = hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).digest()
        attributes = set_of(
            sequence(oid("1.2.840.113549.1.9.3"), set_of(oid("1.2.840.113549.1.9.16.1.4"))),
            sequence(oid("1.2.840.113549.1.9.4"), set_of(octets(hashlib.sha256(info).digest()))),
            sequence(
                oid("1.2.840.113549.1.9.16.2.47"), set_of(sequence(sequence(sequence(octets(certificate)))))
            ),
        )
        signer = sequence(
            integer(1),
            sequence(self.certificate.issuer.public_bytes(), integer(self.certificate.serial_number)),
            _SHA256,
            b"\xa0" + attributes[1:],
            _ECDSA_SHA256,
            octets(self.key.sign(attributes, ec.ECDSA(hashes.SHA256()))),
        )
        content = sequence(oid("1.2.840.113549.1.9.16.1.4"), tlv(0xA0, octets(info)))
        signed = sequence(integer(3), set_of(_SHA256), content, set_of(signer))
        return sequence(sequence(integer(0)), sequence(oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed)))


def _general_name(name: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(name) if "://" in name else x509.RFC822Name(name)


def _claims(identity: Identity, leaf: Leaf) -> list[tuple[int, bytes]]:
    known = identity.claims
    old = [(number, known[name].encode()) for name, number in OLD_CLAIMS.items() if name in known]
    new = [(number, utf8(known[name])) for name, number in CLAIMS.items() if name in known]
    issuers = [(1, identity.issuer.encode())]
    if new or not old or leaf.other_issuer:
        issuers.append((8, utf8(leaf.other_issuer or identity.issuer)))
    return [*issuers, *old, *new]
