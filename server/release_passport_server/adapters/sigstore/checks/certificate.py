"""Signing certificates as Fulcio makes them: their profile, and what they say of the signer.

The extensions are those of sigstore/fulcio, docs/oid-info.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.domain.attestation import SignerClaims

_ARC = "1.3.6.1.4.1.57264.1."
_OTHER_NAME = ObjectIdentifier(_ARC + "7")
_GITHUB = "https://token.actions.githubusercontent.com"
_CLAIMS = {
    "builder": "9",
    "runner_environment": "11",
    "repository": "12",
    "revision": "13",
    "ref": "14",
    "repository_id": "15",
    "owner_id": "17",
    "workflow": "18",
    "trigger": "20",
    "invocation": "21",
}
# What older certificates have instead, without a type around the text.
_OLD_CLAIMS = {"trigger": "2", "revision": "3", "repository": "5", "ref": "6"}
_MAX_CLAIM = 1024
_KEY_USAGE = ExtensionOID.KEY_USAGE.dotted_string
_EXTENDED_USAGE = ExtensionOID.EXTENDED_KEY_USAGE.dotted_string
_CONSTRAINTS = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
_NAMES = ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string
SCTS = ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS.dotted_string


@dataclass(frozen=True, slots=True)
class Leaf:
    """A signing certificate with its extensions, each known to be readable."""

    certificate: x509.Certificate
    extensions: dict[str, x509.ExtensionType]


def load_certificate(der: bytes) -> Leaf:
    """Return the certificate in DER; raise Refused."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.version is not x509.Version.v3:
            raise _malformed()
        found = {extension.oid.dotted_string: extension.value for extension in certificate.extensions}
    except (
        ValueError,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise _malformed() from error
    return Leaf(certificate, found)


def check_profile(leaf: Leaf) -> None:
    """Raise Refused unless this is an end entity's certificate for signing code."""
    usage, usages = leaf.extensions.get(_KEY_USAGE), leaf.extensions.get(_EXTENDED_USAGE)
    if not isinstance(usage, x509.KeyUsage) or not isinstance(usages, x509.ExtendedKeyUsage):
        raise _unsuitable("it does not say what its key is for")
    if not usage.digital_signature:
        raise _unsuitable("its key usage is not digital signature")
    if ExtendedKeyUsageOID.CODE_SIGNING not in usages:
        raise _unsuitable("its extended key usage is not code signing")
    constraints = leaf.extensions.get(_CONSTRAINTS)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise _unsuitable("it is an authority's own")


def claims_of(leaf: Leaf) -> SignerClaims:
    """Return what the certificate says of the signer; raise Refused where it contradicts itself."""
    raw = {
        oid.removeprefix(_ARC): value.value
        for oid, value in leaf.extensions.items()
        if oid.startswith(_ARC) and isinstance(value, x509.UnrecognizedExtension)
    }
    old_issuer, issuer = _plain(raw.get("1")), _utf8(raw.get("8"))
    if old_issuer and issuer and old_issuer != issuer:
        raise _unsuitable("it names two issuers")
    issuer = issuer or old_issuer
    claims = {name: _utf8(raw.get(number)) for name, number in _CLAIMS.items()}
    for name, number in _OLD_CLAIMS.items():
        if claims[name]:
            continue
        claims[name] = _plain(raw.get(number))
        if name == "repository" and claims[name] and issuer == _GITHUB:
            claims[name] = f"https://github.com/{claims[name]}"
    return SignerClaims(issuer=issuer, identity=_identity(leaf), **claims)


def _identity(leaf: Leaf) -> str:
    names = leaf.extensions.get(_NAMES)
    if not isinstance(names, x509.SubjectAlternativeName):
        raise _unsuitable("it names nobody")
    if len(names) != 1:
        raise _unsuitable("it names more than one identity")
    (name,) = names
    if isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name):
        identity = name.value
    elif isinstance(name, x509.OtherName) and name.type_id == _OTHER_NAME:
        identity = _utf8(name.value)
    else:
        raise _unsuitable("its identity is neither a URI nor an address nor a user's name")
    if not identity or len(identity) > _MAX_CLAIM or not identity.isprintable() or " " in identity:
        raise _unsuitable("its identity is empty, too long or not printable")
    return identity


def _plain(value: bytes | None) -> str:
    return "" if value is None else _text(value)


def _utf8(value: bytes | None) -> str:
    """Return the text of a DER UTF8String."""
    if value is None:
        return ""
    if len(value) < 2 or value[0] != 0x0C:
        raise _unsuitable("a claim is not a UTF8String")
    size, start = value[1], 2
    if size & 0x80:
        width = size & 0x7F
        start += width
        size = int.from_bytes(value[2:start], "big")
        if width not in (1, 2):
            raise _unsuitable("a claim is too long")
    if len(value) != start + size:
        raise _unsuitable("a claim is cut short")
    return _text(value[start:])


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise _unsuitable("a claim is not UTF-8") from error
    if len(text) > _MAX_CLAIM or not (text.isprintable() or not text):
        raise _unsuitable("a claim is too long or not printable")
    return text


def _malformed() -> Refused:
    return Refused(Failure.CERTIFICATE_MALFORMED, "the signing certificate cannot be read")


def _unsuitable(text: str) -> Refused:
    return Refused(Failure.CERTIFICATE_UNSUITABLE, f"the signing certificate will not do: {text}")
