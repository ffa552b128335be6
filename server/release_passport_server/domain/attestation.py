"""What came of verifying a signed envelope about an artifact."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.evidence import Verification


class AttestationFailure(StrEnum):
    """Why an envelope vouches for nothing; in the order of the stages at which that is found.

    The codes are stable: rules, dashboards and people's notes name them.
    """

    # What was sent.
    BUNDLE_TOO_LARGE = "BUNDLE_TOO_LARGE"
    BUNDLE_MALFORMED = "BUNDLE_MALFORMED"
    BUNDLE_UNSUPPORTED = "BUNDLE_UNSUPPORTED"
    ENVELOPE_MALFORMED = "ENVELOPE_MALFORMED"
    PAYLOAD_TYPE = "PAYLOAD_TYPE"
    # What there is to verify it with.
    NO_TRUSTED_ROOT = "NO_TRUSTED_ROOT"
    TRUSTED_ROOT_INVALID = "TRUSTED_ROOT_INVALID"
    NO_TRUSTED_KEY = "NO_TRUSTED_KEY"
    # When it was signed.
    LOG_ENTRY_MISSING = "LOG_ENTRY_MISSING"
    LOG_ENTRY_UNSUPPORTED = "LOG_ENTRY_UNSUPPORTED"
    LOG_UNKNOWN = "LOG_UNKNOWN"
    LOG_KEY_RETIRED = "LOG_KEY_RETIRED"
    LOG_PROMISE_INVALID = "LOG_PROMISE_INVALID"
    TIMESTAMP_MALFORMED = "TIMESTAMP_MALFORMED"
    TIMESTAMP_UNTRUSTED = "TIMESTAMP_UNTRUSTED"
    TIME_MISSING = "TIME_MISSING"
    # Who signed it.
    CERTIFICATE_MALFORMED = "CERTIFICATE_MALFORMED"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    CERTIFICATE_UNTRUSTED = "CERTIFICATE_UNTRUSTED"
    CERTIFICATE_UNSUITABLE = "CERTIFICATE_UNSUITABLE"
    CA_RETIRED = "CA_RETIRED"
    SCT_MISSING = "SCT_MISSING"
    SCT_LOG_UNKNOWN = "SCT_LOG_UNKNOWN"
    SCT_INVALID = "SCT_INVALID"
    CT_KEY_RETIRED = "CT_KEY_RETIRED"
    KEY_UNSUPPORTED = "KEY_UNSUPPORTED"
    # That the log has it.
    LOG_PROOF_MISSING = "LOG_PROOF_MISSING"
    LOG_PROOF_INVALID = "LOG_PROOF_INVALID"
    LOG_CHECKPOINT_INVALID = "LOG_CHECKPOINT_INVALID"
    LOG_ENTRY_MISMATCH = "LOG_ENTRY_MISMATCH"
    # What was signed.
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    STATEMENT_MALFORMED = "STATEMENT_MALFORMED"
    SUBJECT_MISMATCH = "SUBJECT_MISMATCH"
    PREDICATE_UNSUPPORTED = "PREDICATE_UNSUPPORTED"
    KIND_MISMATCH = "KIND_MISMATCH"
    # Whether the signer may say so: the first is the answer, the others say why.
    SIGNER_NOT_TRUSTED = "SIGNER_NOT_TRUSTED"
    ISSUER_MISMATCH = "ISSUER_MISMATCH"
    IDENTITY_MISMATCH = "IDENTITY_MISMATCH"
    REPOSITORY_MISMATCH = "REPOSITORY_MISMATCH"
    REF_MISMATCH = "REF_MISMATCH"
    TRIGGER_MISMATCH = "TRIGGER_MISMATCH"
    RUNNER_MISMATCH = "RUNNER_MISMATCH"
    BUILDER_MISMATCH = "BUILDER_MISMATCH"
    KIND_NOT_VOUCHED = "KIND_NOT_VOUCHED"
    # Nothing was found out: the same envelope may be verified another time.
    VERIFIER_BUSY = "VERIFIER_BUSY"
    VERIFIER_TIMEOUT = "VERIFIER_TIMEOUT"
    VERIFIER_CRASHED = "VERIFIER_CRASHED"


_NOT_FINAL = frozenset(
    {
        AttestationFailure.VERIFIER_BUSY,
        AttestationFailure.VERIFIER_TIMEOUT,
        AttestationFailure.VERIFIER_CRASHED,
    }
)


@dataclass(frozen=True, slots=True)
class SignerClaims:
    """Who signed: what the certificate authority vouches for in a certificate, or the id of a key.

    What is empty was not stated. Repositories are URIs; ids are those of the host, which are never given out twice.
    """

    issuer: str = ""
    identity: str = ""
    key_id: str = ""
    repository: str = ""
    repository_id: str = ""
    owner_id: str = ""
    ref: str = ""
    revision: str = ""
    # Pipeline definition that started the run, and the one that signed: a reusable workflow is another one.
    workflow: str = ""
    builder: str = ""
    trigger: str = ""
    runner_environment: str = ""
    invocation: str = ""

    @property
    def name(self) -> str:
        """Return the signer as evidence names it: the key, or issuer and identity with a space between."""
        return f"key:{self.key_id}" if self.key_id else f"{self.issuer} {self.identity}".strip()


@dataclass(frozen=True, slots=True)
class Proof:
    """What verifying an envelope has proven, kept with its item; whether its signer may say so is asked each time."""

    claims: SignerClaims | None
    method: str = ""
    # Digest of the trusted root that it was verified against; empty for a bare key.
    root: str = ""
    # The builder that provenance names; empty for other kinds.
    builder: str = ""
    # What the configuration was then; the same envelope proves the same under another one.
    trust_revision: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """A good signature of a signer whom the trust configuration names, and the facts that it vouches for."""

    claims: SignerClaims
    # Names of the rules and keys of the trust configuration that let this signer speak.
    vouchers: tuple[str, ...]
    # How it was verified, such as "dsse+key" or "sigstore-bundle+rekor-v2+tsa".
    method: str
    kind: str
    # The message of that kind.
    facts: object
    # Those of the digests asked for that the statement is about.
    subjects: tuple[str, ...]
    # When a log or a timestamp authority saw the signature; None where neither did.
    sign_time: datetime | None = None
    # When the statement says that it was made, if it does.
    statement_time: datetime | None = None
    predicate_type: str = ""
    log_index: int | None = None
    # Digest of the trusted root that it was verified against; empty for a bare key.
    root: str = ""
    trust_revision: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """An envelope that vouches for nothing: why, and who signed it where that is known all the same."""

    code: AttestationFailure
    text: str
    # What of the signer differs from the rule that comes nearest; only with SIGNER_NOT_TRUSTED.
    cause: AttestationFailure | None = None
    # Proven claims: set from the stage on at which the signature is known to be good.
    claims: SignerClaims | None = None
    method: str = ""
    sign_time: datetime | None = None
    trust_revision: int = 0

    @property
    def final(self) -> bool:
        """Say whether the same envelope fails for ever, as long as the trust configuration stays."""
        return self.code not in _NOT_FINAL

    @property
    def reason(self) -> str:
        """Return the code, then what differs if that is known, then the text for people."""
        codes = [self.code] if self.cause is None else [self.code, self.cause]
        return ": ".join([*(code.value for code in codes), self.text])


@dataclass(frozen=True, slots=True)
class Claim:
    """What an envelope says that it is, with nothing proven; without a kind, why it can be no evidence."""

    predicate_type: str = ""
    kind: str = ""
    failure: AttestationFailure | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """An envelope's facts with who signed them, or why it has none; `reason` is a code, a colon and a text."""

    state: Verification
    signer: str = ""
    reason: str = ""
    facts_kind: str = ""
    # The message of that kind; None unless the state is VERIFIED.
    facts: object = None
    # When the statement says that it was made, if it does.
    statement_time: datetime | None = None


def failed(failure: AttestationFailure, text: str, *, signer: str = "") -> AttestationResult:
    """Return the result of an envelope that vouches for nothing."""
    return AttestationResult(Verification.FAILED, signer=signer, reason=f"{failure}: {text}")
