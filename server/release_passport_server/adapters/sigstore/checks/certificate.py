"""Signing certificates as Fulcio makes them: their profile, and what they say of the signer.

The extensions are those of sigstore/fulcio, docs/oid-info.md.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from release_passport_server.adapters.sigstore.checks.refusal import Refused
from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.domain.attestation import SignerClaims

_ARC = "1.3.6.1.4.1.57264.1."
_OTHER_NAME = ObjectIdentifier(_ARC + "7")
_GITHUB = "https://token.actions.githubusercontent.com"
_CLAIMS = {
    "builder": 9,
    "runner_environment": 11,
    "repository": 12,
    "revision": 13,
    "ref": 14,
    "repository_id": 15,
    "owner_id": 17,
    "workflow": 18,
    "trigger": 20,
    "invocation": 21,
}
# What older certificates have instead, without a type around the text.
_OLD_CLAIMS = {"trigger": 2, "revision": 3, "repository": 5, "ref": 6}
_MAX_CLAIM = 1024


def load_certificate(der: bytes) -> x509.Certificate:
    """Return the certificate with its extensions known to be readable; raise Refused."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.version is not x509.Version.v3:
            raise _malformed()
        len(certificate.extensions)
    except (
        ValueError,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise _malformed() from error
    return certificate


def check_profile(certificate: x509.Certificate) -> None:
    """Raise Refused unless this is an end entity's certificate for signing code."""
    extensions = certificate.extensions
    try:
        if not extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            raise _unsuitable("its key usage is not digital signature")
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        raise _unsuitable("it does not say what its key is for") from error
    if ExtendedKeyUsageOID.CODE_SIGNING not in usages:
        raise _unsuitable("its extended key usage is not code signing")
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise _unsuitable("it is an authority's own")
    except x509.ExtensionNotFound:
        pass


def claims_of(certificate: x509.Certificate) -> SignerClaims:
    """Return what the certificate says of the signer; raise Refused where it contradicts itself."""
    raw = {
        extension.oid.dotted_string.removeprefix(_ARC): extension.value.value
        for extension in certificate.extensions
        if isinstance(extension.value, x509.UnrecognizedExtension)
        and extension.oid.dotted_string.startswith(_ARC)
    }
    old_issuer, issuer = _plain(raw.get("1")), _utf8(raw.get("8"))
    if old_issuer and issuer and old_issuer != issuer:
        raise _unsuitable("it names two issuers")
    issuer = issuer or old_issuer
    claims = {name: _utf8(raw.get(str(number))) for name, number in _CLAIMS.items()}
    for name, number in _OLD_CLAIMS.items():
        text = _plain(raw.get(str(number)))
        if name == "repository" and text and issuer == _GITHUB:
            text = f"https://github.com/{text}"
        claims[name] = claims[name] or text
    return SignerClaims(issuer=issuer, identity=_identity(certificate), **claims)


def _identity(certificate: x509.Certificate) -> str:
    try:
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound as error:
        raise _unsuitable("it names nobody") from error
    if len(names) != 1:
        raise _unsuitable("it names more than one identity")
    name = names[0]
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
