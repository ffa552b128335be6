"""What an envelope says that it is: read to know what to ask of the verifier, and believed in nothing."""

from __future__ import annotations

from base64 import b64decode

from release_passport_server.domain.attestation import AttestationFailure, Claim
from release_passport_server.wire.intoto.predicates import kind_of
from release_passport_server.wire.intoto.reading import at, text_at
from release_passport_server.wire.intoto.strict_json import JSONInvalid, parse

# What cosign 3 signs images with: a statement that says nothing but that it was signed.
_COSIGN_SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
_SIGNATURE = "signature"
_SHOWN = 200


class EnvelopeClaims:
    """Reads claims; see the port."""

    def claim(self, body: bytes) -> Claim:
        """Return what a Sigstore bundle or DSSE envelope claims to be; bad input never raises."""
        try:
            outer = parse(body)
        except JSONInvalid as error:
            return _malformed(AttestationFailure.BUNDLE_MALFORMED, str(error))
        if at(outer, "messageSignature") is not None:
            return Claim(kind=_SIGNATURE)
        envelope = at(outer, "dsseEnvelope") or outer
        payload = text_at(envelope, "payload")
        if payload is None:
            return _malformed(AttestationFailure.ENVELOPE_MALFORMED, "`payload` must be a text")
        try:
            statement = parse(b64decode(payload.replace("-", "+").replace("_", "/"), validate=True))
        except JSONInvalid as error:
            return _malformed(AttestationFailure.STATEMENT_MALFORMED, str(error))
        except ValueError:
            return _malformed(AttestationFailure.ENVELOPE_MALFORMED, "`payload` is not base 64")
        return _claim(text_at(statement, "predicateType"))


def _claim(predicate_type: str | None) -> Claim:
    if predicate_type is None:
        return _malformed(AttestationFailure.STATEMENT_MALFORMED, "`predicateType` must be a text")
    shown = "".join(one if one.isprintable() else "\ufffd" for one in predicate_type[:_SHOWN])
    kind = _SIGNATURE if predicate_type == _COSIGN_SIGNATURE else kind_of(predicate_type)
    if kind is None:
        text = "no facts are derived from this predicate"
        return Claim(shown, failure=AttestationFailure.PREDICATE_UNSUPPORTED, text=text)
    return Claim(shown, kind)


def _malformed(failure: AttestationFailure, text: str) -> Claim:
    return Claim(failure=failure, text=text)
