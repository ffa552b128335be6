"""What a tenant trusts, as a message and as the domain's value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release_passport.v1 import trust_pb2, trust_service_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.etags import trust_etag
from release_passport_server.domain.kind import UnknownKind, kind_named
from release_passport_server.domain.trust import (
    Match,
    Scope,
    SignerRule,
    Trust,
    TrustedKey,
    TrustedRoot,
    TrustedRootMismatch,
    TrustRevision,
    rule_problems,
)
from release_passport_server.wire.fields import (
    etag_violations,
    glob_violations,
    refuse,
    slug_violations,
    text_violations,
)
from release_passport_server.wire.intoto.strict_json import JSONInvalid, parse
from release_passport_server.wire.times import timestamp

MAX_ROOTS = 8
MAX_ROOT_BYTES = 256 * 1024
MAX_RULES = 256
MAX_KEYS = 256
MAX_KEY_BYTES = 8192
MAX_REF_BYTES = 512
MAX_MATCH_BYTES = 1024
# Each more would multiply what comparing one claim can cost.
MAX_STARS = 4
MAX_KINDS = 64
_ROOT_TYPE = "application/vnd.dev.sigstore.trustedroot"
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_CLAIMS = (
    "issuer",
    "identity",
    "repository",
    "repository_id",
    "ref",
    "workflow",
    "trigger",
    "runner_environment",
    "builder",
)


def trust_to_update(principal: Principal, request: trust_service_pb2.UpdateTrustRequest) -> tuple[Trust, str]:
    """Return the configuration that a request asks for and the etag that was sent; raise Invalid or NotFound."""
    same_tenant(principal, request.tenant)
    given = request.trust
    violations = [*etag_violations(given.etag, "trust.etag"), *trust_violations(given)]
    own = _name(principal.tenant)
    if given.name not in ("", own):
        violations.append(Violation("trust.name", f"must be {own}, or left out"))
    refuse(violations)
    return trust_of(given, 0), given.etag


def revision_of(value: int) -> int:
    """Return the number of a revision, 0 for the newest; raise Invalid."""
    if value < 0:
        refuse([Violation("revision", "must be 1 or more; 0 means the newest")])
    return value


def trust_violations(given: trust_pb2.TrustConfiguration) -> Iterator[Violation]:
    """Yield everything that is wrong with a configuration; whether a key can be used is for others to say."""
    counts = (
        ("roots", given.roots, MAX_ROOTS),
        ("rules", given.rules, MAX_RULES),
        ("keys", given.keys, MAX_KEYS),
    )
    for field, items, most in counts:
        if len(items) > most:
            yield Violation(f"trust.{field}", f"must hold at most {most}, holds {len(items)}")
    for index, root in enumerate(given.roots[:MAX_ROOTS]):
        yield from _root_violations(root, f"trust.roots[{index}]")
    named: Sequence[tuple[str, trust_pb2.SignerRule | trust_pb2.TrustedKey]] = [
        *((f"trust.rules[{index}]", rule) for index, rule in enumerate(given.rules[:MAX_RULES])),
        *((f"trust.keys[{index}]", key) for index, key in enumerate(given.keys[:MAX_KEYS])),
    ]
    seen: set[str] = set()
    for path, one in named:
        yield from slug_violations(one.name, f"{path}.name")
        if one.name in seen:
            yield Violation(f"{path}.name", "is there twice: rules and keys each have a name of their own")
        seen.add(one.name)
        yield from _scope_violations(one.scope, f"{path}.scope")
        if isinstance(one, trust_pb2.SignerRule):
            yield from _rule_violations(one, path)
        else:
            yield from text_violations(one.pem, f"{path}.pem", most=MAX_KEY_BYTES, least=1)


def trust_of(given: trust_pb2.TrustConfiguration, revision: int) -> Trust:
    """Return the value of a checked configuration."""
    return Trust(
        revision,
        tuple(TrustedRoot(root.ref, root.sha256, root.content) for root in given.roots),
        tuple(_rule(rule) for rule in given.rules),
        tuple(TrustedKey(key.name, key.pem, _scope(key.scope)) for key in given.keys),
    )


def trust_body(trust: Trust) -> trust_pb2.TrustConfiguration:
    """Return what a configuration says: roots, rules and keys."""
    return trust_pb2.TrustConfiguration(
        roots=[
            trust_pb2.TrustedRoot(ref=root.ref, sha256=root.sha256, content=root.content)
            for root in trust.roots
        ],
        rules=[_rule_to_proto(rule) for rule in trust.rules],
        keys=[
            trust_pb2.TrustedKey(name=key.name, pem=key.pem, scope=_scope_to_proto(key.scope))
            for key in trust.keys
        ],
    )


def trust_to_proto(tenant: str, revision: TrustRevision) -> trust_pb2.TrustConfiguration:
    """Return the resource that shows a revision."""
    shown = trust_body(revision.trust)
    shown.name, shown.revision, shown.author = _name(tenant), revision.trust.revision, revision.author
    shown.etag = trust_etag(revision)
    if revision.create_time is not None:
        shown.create_time.CopyFrom(timestamp(revision.create_time))
    return shown


def _name(tenant: str) -> str:
    return f"tenants/{tenant}/trust"


def _root_violations(root: trust_pb2.TrustedRoot, path: str) -> Iterator[Violation]:
    yield from text_violations(root.ref, f"{path}.ref", most=MAX_REF_BYTES)
    if len(root.content) > MAX_ROOT_BYTES:
        yield Violation(f"{path}.content", f"must be at most {MAX_ROOT_BYTES} bytes")
        return
    try:
        content = parse(root.content)
    except JSONInvalid as error:
        yield Violation(f"{path}.content", f"is not a trusted root: {error}")
        return
    kind = content.get("mediaType") if isinstance(content, dict) else None
    if not isinstance(kind, str) or not kind.startswith(_ROOT_TYPE):
        yield Violation(
            f"{path}.content", f"is not a trusted root: its mediaType must begin with {_ROOT_TYPE}"
        )
        return
    if not _DIGEST.fullmatch(root.sha256):
        text = "must be sha256: and 64 hexadecimal digits, the digest of content as a second source has it"
        yield Violation(f"{path}.sha256", text)
        return
    try:
        TrustedRoot.pinned("in this request", root.sha256, root.content)
    except TrustedRootMismatch as error:
        yield Violation(f"{path}.sha256", str(error))


def _rule_violations(rule: trust_pb2.SignerRule, path: str) -> Iterator[Violation]:
    wrong: list[Violation] = []
    for claim in _CLAIMS:
        if rule.HasField(claim):
            wrong += _match_violations(getattr(rule, claim), f"{path}.{claim}")
    yield from wrong
    if not wrong:
        yield from (Violation(f"{path}.{field}", text) for field, text in rule_problems(_rule(rule)))


def _match_violations(match: trust_pb2.ClaimMatch, path: str) -> Iterator[Violation]:
    way = match.WhichOneof("match")
    if way is None:
        yield Violation(path, "give exact or pattern")
        return
    yield from text_violations(getattr(match, way), f"{path}.{way}", most=MAX_MATCH_BYTES, least=1)
    if match.pattern.count("*") > MAX_STARS:
        yield Violation(f"{path}.pattern", f"must have at most {MAX_STARS} stars")


def _scope_violations(scope: trust_pb2.VouchingScope, path: str) -> Iterator[Violation]:
    yield from glob_violations(scope.services, f"{path}.services")
    yield from glob_violations(scope.environments, f"{path}.environments")
    if len(scope.kinds) > MAX_KINDS:
        yield Violation(f"{path}.kinds", f"must name at most {MAX_KINDS} kinds")
    for index, kind in enumerate(scope.kinds[:MAX_KINDS]):
        try:
            kind_named(kind)
        except UnknownKind:
            yield Violation(f"{path}.kinds[{index}]", "is no kind of evidence, such as provenance or sbom")


def _rule(rule: trust_pb2.SignerRule) -> SignerRule:
    matches = {claim: _match(getattr(rule, claim)) for claim in _CLAIMS if rule.HasField(claim)}
    issuer = matches.pop("issuer", Match(""))
    return SignerRule(name=rule.name, issuer=issuer, scope=_scope(rule.scope), **matches)


def _match(match: trust_pb2.ClaimMatch) -> Match:
    pattern = match.WhichOneof("match") == "pattern"
    return Match(match.pattern if pattern else match.exact, pattern)


def _scope(scope: trust_pb2.VouchingScope) -> Scope:
    return Scope(frozenset(scope.kinds), tuple(scope.services), tuple(scope.environments))


def _rule_to_proto(rule: SignerRule) -> trust_pb2.SignerRule:
    matches = {claim: getattr(rule, claim) for claim in _CLAIMS}
    return trust_pb2.SignerRule(
        name=rule.name,
        scope=_scope_to_proto(rule.scope),
        **{claim: _match_to_proto(match) for claim, match in matches.items() if match is not None},
    )


def _match_to_proto(match: Match) -> trust_pb2.ClaimMatch:
    text = match.text
    return trust_pb2.ClaimMatch(pattern=text) if match.pattern else trust_pb2.ClaimMatch(exact=text)


def _scope_to_proto(scope: Scope) -> trust_pb2.VouchingScope | None:
    if scope == Scope():
        return None
    return trust_pb2.VouchingScope(
        kinds=sorted(scope.kinds), services=scope.services, environments=scope.environments
    )
