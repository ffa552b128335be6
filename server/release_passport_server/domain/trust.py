"""Who may vouch for what: trusted roots, registered keys, and rules about identities (SLSA's "expectations")."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from release_passport_server.domain import glob
from release_passport_server.domain.attestation import AttestationFailure, Proof, SignerClaims


class TrustedRootMismatch(ValueError):
    """The content is not what was pinned; the message names both digests."""


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A Sigstore instance's trusted root, byte for byte as it was pinned."""

    # Where it came from, for people: a file's path or a resource name.
    ref: str
    # "sha256:…" of the content.
    sha256: str
    content: bytes = field(repr=False)

    @classmethod
    def pinned(cls, ref: str, sha256: str, content: bytes) -> TrustedRoot:
        """Return the root if its content has this digest; raise TrustedRootMismatch."""
        found = f"sha256:{hashlib.sha256(content).hexdigest()}"
        wanted = sha256 if sha256.startswith("sha256:") else f"sha256:{sha256}"
        if found != wanted:
            text = f"the trusted root {ref} is {found}, but {wanted} is pinned: read what changed, then pin the new one"
            raise TrustedRootMismatch(text)
        return cls(ref, found, content)


@dataclass(frozen=True, slots=True)
class Match:
    """What a claim must be: this very text, or where it is declared a pattern, anything that fits the glob."""

    text: str
    pattern: bool = False

    def fits(self, value: str) -> bool:
        """Say whether a stated claim is as it must be; what was not stated fits nothing."""
        if not value:
            return False
        return glob.matches(self.text, value) if self.pattern else self.text == value

    def __str__(self) -> str:
        return f"pattern {self.text}" if self.pattern else self.text


@dataclass(frozen=True, slots=True)
class Scope:
    """For which kinds of evidence, services and environments a signer's word counts; empty means all."""

    kinds: frozenset[str] = frozenset()
    # Globs over service and environment ids.
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def has_kind(self, kind: str) -> bool:
        """Say whether the signer may vouch for this kind."""
        return not self.kinds or kind in self.kinds

    def covers(self, service: str, environment: str) -> bool:
        """Say whether the signer's word counts for this service in this environment."""
        return _one_fits(self.services, service) and _one_fits(self.environments, environment)

    def admits(self, kind: str, service: str, environment: str) -> bool:
        """Say whether the signer may vouch for this kind, for this service in this environment."""
        return self.has_kind(kind) and self.covers(service, environment)


@dataclass(frozen=True, slots=True)
class SignerRule:
    """A certificate identity that may vouch: all that is given must fit."""

    name: str
    issuer: Match
    identity: Match | None = None
    repository: Match | None = None
    repository_id: Match | None = None
    ref: Match | None = None
    workflow: Match | None = None
    trigger: Match | None = None
    runner_environment: Match | None = None
    # The builder that provenance names, which the certificate knows nothing of.
    builder: Match | None = None
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key (in PEM) whose owner may vouch."""

    name: str
    pem: str
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class Trust:
    """One revision of a tenant's trust configuration."""

    revision: int = 0
    roots: tuple[TrustedRoot, ...] = ()
    rules: tuple[SignerRule, ...] = ()
    keys: tuple[TrustedKey, ...] = ()

    def with_defaults(self, roots: tuple[TrustedRoot, ...]) -> Trust:
        """Return the configuration with the server's own roots where the tenant has named none."""
        return self if self.roots or not roots else replace(self, roots=roots)

    def with_keys(self, keys: Sequence[TrustedKey]) -> Trust:
        """Return the configuration with more keys."""
        return replace(self, keys=(*self.keys, *keys))

    def without_contents(self) -> Trust:
        """Return the configuration with roots that are known by their digests alone."""
        return replace(self, roots=tuple(replace(root, content=b"") for root in self.roots))

    def vouches(self, proof: Proof, kind: str, service: str, environment: str) -> bool:
        """Say whether a rule lets the certificate of this proof vouch for this kind there, as things stand now."""
        claims = proof.claims
        if claims is None or claims.key_id or proof.root not in {root.sha256 for root in self.roots}:
            return False
        return any(
            rule.scope.covers(service, environment)
            and all(step is None for step in _steps(rule, claims, kind, proof.builder))
            for rule in self.rules
        )

    def scopes_of(self, vouchers: Sequence[str]) -> tuple[Scope, ...]:
        """Return the scopes of the rules and keys with these names."""
        named = set(vouchers)
        listed = [(rule.name, rule.scope) for rule in self.rules] + [
            (key.name, key.scope) for key in self.keys
        ]
        return tuple(scope for name, scope in listed if name in named)


NO_TRUST = Trust()


@dataclass(frozen=True, slots=True)
class TrustRevision:
    """A trust configuration with who wrote it, and when; None as long as nobody did."""

    trust: Trust = NO_TRUST
    author: str = ""
    create_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What of a signer differs from the rule that comes nearest."""

    cause: AttestationFailure
    text: str


def vouching(
    rules: Sequence[SignerRule], claims: SignerClaims, kind: str, builder: str
) -> tuple[str, ...] | Refusal:
    """Return the names of the rules that let this signer vouch for this kind, or what differs from the nearest rule.

    `builder` is the builder that provenance names; empty for other kinds.
    """
    refusals = []
    fitting = []
    for rule in rules:
        steps = list(_steps(rule, claims, kind, builder))
        at = next((index for index, step in enumerate(steps) if step is not None), None)
        if at is None:
            fitting.append(rule.name)
        else:
            found = steps[at]
            assert found is not None
            refusals.append((at, found))
    if fitting:
        return tuple(fitting)
    if not refusals:
        return Refusal(
            AttestationFailure.IDENTITY_MISMATCH, "no identity is trusted: add a rule for this signer"
        )
    return max(refusals, key=lambda refusal: refusal[0])[1]


def rule_problems(rule: SignerRule) -> Iterator[tuple[str, str]]:
    """Yield field and text of what makes a rule useless or trusts strangers."""
    if not rule.issuer.text:
        yield "issuer", "required: the URI of the OIDC issuer that vouches for the identity"
    elif rule.issuer.pattern and _is_open(rule.issuer.text, segments=0):
        yield "issuer", "a pattern must leave scheme and host fixed, such as https://issuer.example/*"
    naming = [match for match in (rule.identity, rule.repository, rule.repository_id) if match is not None]
    if not naming:
        text = (
            "give identity, repository or repository_id: the issuer alone vouches for everybody whom it knows"
        )
        yield "identity", text
    elif all(match.pattern and _is_open(match.text, segments=1) for match in naming):
        text = "a pattern must leave scheme, host and owner fixed, such as https://host.example/owner/*"
        yield next(name for name, match in _matches(rule) if match is naming[0]), text
    for name, match in _matches(rule)[1:]:
        if match is not None and not match.text:
            yield name, "must not be empty: leave it out where anything will do"
        elif match is not None and not match.pattern and not glob.is_exact(match.text):
            yield name, "has * or ?, which stand for themselves unless it is declared a pattern"


def _is_open(pattern: str, *, segments: int) -> bool:
    """Say whether a pattern leaves a URI's host and first segments, or an address's domain, to whoever signs."""
    scheme, separator, rest = pattern.partition("://")
    if separator:
        fixed = rest.split("/")[: segments + 1]
        return rest.count("/") <= segments or not all(
            part and glob.is_exact(part) for part in (scheme, *fixed)
        )
    _, at, domain = pattern.rpartition("@")
    return not at or not glob.is_exact(domain)


def _matches(rule: SignerRule) -> tuple[tuple[str, Match | None], ...]:
    return (
        ("issuer", rule.issuer),
        ("identity", rule.identity),
        ("repository", rule.repository),
        ("repository_id", rule.repository_id),
        ("ref", rule.ref),
        ("workflow", rule.workflow),
        ("trigger", rule.trigger),
        ("runner_environment", rule.runner_environment),
        ("builder", rule.builder),
    )


def _steps(rule: SignerRule, claims: SignerClaims, kind: str, builder: str) -> Iterator[Refusal | None]:
    """Yield for each part of a rule what differs, in the order in which people look."""
    causes = AttestationFailure
    yield _differs(rule, rule.issuer, claims.issuer, "issuer", causes.ISSUER_MISMATCH)
    yield _differs(
        rule, rule.repository_id, claims.repository_id, "repository id", causes.REPOSITORY_MISMATCH
    )
    yield _differs(rule, rule.repository, claims.repository, "repository", causes.REPOSITORY_MISMATCH)
    yield _differs(rule, rule.identity, claims.identity, "identity", causes.IDENTITY_MISMATCH)
    yield _differs(rule, rule.workflow, claims.workflow, "workflow", causes.IDENTITY_MISMATCH)
    yield _differs(rule, rule.ref, claims.ref, "ref", causes.REF_MISMATCH)
    yield _differs(rule, rule.trigger, claims.trigger, "trigger", causes.TRIGGER_MISMATCH)
    yield _differs(
        rule, rule.runner_environment, claims.runner_environment, "runner environment", causes.RUNNER_MISMATCH
    )
    wanted = rule.builder if kind == "provenance" else None
    yield _differs(rule, wanted, builder, "builder", causes.BUILDER_MISMATCH)
    if rule.scope.has_kind(kind):
        yield None
    else:
        yield Refusal(causes.KIND_NOT_VOUCHED, f"rule {rule.name} does not let this signer vouch for {kind}")


def _differs(
    rule: SignerRule, match: Match | None, value: str, what: str, cause: AttestationFailure
) -> Refusal | None:
    if match is None or match.fits(value):
        return None
    stated = f"is {value[:200]!a}" if value else "is not stated"
    return Refusal(cause, f"the {what} {stated}, and rule {rule.name} wants {match}")


def _one_fits(globs: Sequence[str], value: str) -> bool:
    return not globs or any(glob.matches(one, value) for one in globs)
