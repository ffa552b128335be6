"""Lists and single resources for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from release_passport.cli.emit import labels_text
from release_passport.cli.render.names import last_part, release_parts, release_words
from release_passport.cli.render.text import Document, Span, pairs, table
from release_passport.cli.render.view import mode_name, time_words, verdict_name, view_of
from release_passport.enum_names import short_name
from release_passport.v1 import (
    access_pb2,
    catalog_pb2,
    decision_pb2,
    evidence_pb2,
    policy_pb2,
    release_pb2,
    tenant_pb2,
    trust_pb2,
)

_OUTCOME = release_pb2.DESCRIPTOR.enum_types_by_name["AttemptOutcome"]
_VERIFICATION = evidence_pb2.DESCRIPTOR.enum_types_by_name["VerificationState"]
_TENANT_STATE = tenant_pb2.DESCRIPTOR.enum_types_by_name["TenantState"]


def releases(items: Sequence[release_pb2.Release]) -> Document:
    """Return releases as a table."""
    rows = [
        (
            *release_parts(item.name),
            item.identity.source_revision[:12],
            item.creator,
            time_words(item.create_time),
        )
        for item in items
    ]
    headers = ("service", "environment", "version", "source", "creator", "created")
    return table(headers, rows, empty="no releases")


def release(item: release_pb2.Release) -> Document:
    """Return one release."""
    identity = item.identity
    document = Document()
    document.add(Span(release_words(item.name), "strong"))
    shown = [
        ("name", item.name),
        ("source", identity.source_revision),
        ("manifests", identity.manifest_digest),
        *(
            ("artifact", f"{artifact.name}@{artifact.digest} {artifact.type}")
            for artifact in identity.artifacts
        ),
        ("digest", item.release_digest),
        ("creator", f"{item.creator}, {time_words(item.create_time)}"),
        (
            "previous",
            release_words(item.previous) if item.previous else "none: the first one here" * item.is_first,
        ),
        ("restores", "digests that passed here before" if item.is_restore else ""),
        *((f"# {key}", value) for key, value in sorted(identity.annotations.items())),
        *((f"attempt {attempt.number}", attempt_words(attempt)) for attempt in item.attempts),
    ]
    document.lines += pairs(shown).lines
    return document


def attempt_words(attempt: release_pb2.Attempt) -> str:
    """Return an attempt on one line."""
    if not attempt.outcome:
        return f"open since {time_words(attempt.start_time)}, started by {attempt.starter}"
    reason = f": {attempt.reason}" if attempt.reason else ""
    return f"{short_name(_OUTCOME, attempt.outcome)} {time_words(attempt.finish_time)}{reason}"


def attempt(item: release_pb2.Attempt) -> Document:
    """Return one attempt."""
    return pairs([("attempt", item.name), ("state", attempt_words(item)), ("ground", item.ground)])


def evidence_list(items: Sequence[evidence_pb2.Evidence]) -> Document:
    """Return evidence as a table."""
    rows = [
        (
            f"{item.kind} {item.key}".strip(),
            subject_words(item.subject),
            item.source,
            short_name(_VERIFICATION, item.verification.state)
            + (" REVOKED" if item.HasField("revocation") else ""),
            time_words(item.observe_time),
            item.name,
        )
        for item in items
    ]
    return table(("kind", "about", "source", "verified", "observed", "name"), rows, empty="no evidence")


def evidence(item: evidence_pb2.Evidence) -> Document:
    """Return one item with its facts."""
    from google.protobuf.text_format import MessageToString

    document = pairs(
        [
            ("evidence", item.name),
            ("kind", f"{item.kind} {item.key}".strip()),
            ("about", subject_words(item.subject)),
            ("source", f"{item.source} {item.external_id}".strip()),
            ("observed", time_words(item.observe_time)),
            ("received", time_words(item.receive_time)),
            ("expires", time_words(item.expire_time)),
            ("verified", verification_words(item.verification)),
            ("digest", item.facts_digest),
            ("revoked", revocation_words(item)),
        ]
    )
    document.gap()
    for line in MessageToString(item.facts, as_utf8=False).splitlines():
        stripped = line.lstrip()
        document.add(stripped, indent=2 + len(line) - len(stripped))
    return document


def verification_words(verification: evidence_pb2.Verification) -> str:
    """Return what came of verifying an item, on one line."""
    state = short_name(_VERIFICATION, verification.state)
    return f"{state} {verification.signer} {verification.reason}".strip()


def revocation_words(item: evidence_pb2.Evidence) -> str:
    """Return who took an item back and why; empty when nobody did."""
    if not item.HasField("revocation"):
        return ""
    revocation = item.revocation
    return f"{time_words(revocation.revoke_time)} by {revocation.revoker}: {revocation.reason}"


def subject_words(subject: evidence_pb2.EvidenceSubject) -> str:
    """Return what an item is about, briefly."""
    which = subject.WhichOneof("subject")
    if which == "workload":
        return f"{subject.workload.service}/{subject.workload.environment}"
    if which in {"release", "attempt"}:
        return release_words(getattr(subject, which)) + (
            f" attempt {last_part(subject.attempt)}" if which == "attempt" else ""
        )
    value = str(getattr(subject, which)) if which else ""
    return value if len(value) <= 26 else f"{value[:25]}…"


def decisions(items: Sequence[decision_pb2.Decision]) -> Document:
    """Return decisions as a table."""
    rows = [
        (verdict_name(item.effective_verdict), release_words(item.release), view_of(item).headline,
         time_words(item.decide_time), item.name)
        for item in items
    ]  # fmt: skip
    return table(("verdict", "release", "why", "decided", "name"), rows, empty="no decisions")


def trace(steps: Sequence[decision_pb2.TraceStep]) -> Document:
    """Return an explanation in order."""
    document = Document()
    for step in steps:
        verdict = verdict_name(step.verdict) if step.verdict else ""
        document.add(
            Span(f"{step.topic:<9}", "dim"), " ", Span(step.subject, "strong"), "  ", step.text,
            Span(f"  {verdict}" if verdict else "", verdict), hang=10,
        )  # fmt: skip
    return document


def policies(items: Sequence[policy_pb2.Policy]) -> Document:
    """Return policies, or revisions of one, as a table."""
    rows = [
        (
            item.policy_id or last_part(item.name),
            mode_name(item.spec.mode),
            str(item.revision),
            str(len(item.spec.rules)),
            item.spec.title,
            item.author,
            "DELETED " * item.HasField("delete_time") + time_words(item.update_time),
        )
        for item in items
    ]
    return table(
        ("policy", "mode", "revision", "rules", "title", "author", "changed"), rows, empty="no policies"
    )


def services(items: Sequence[catalog_pb2.Service]) -> Document:
    """Return services as a table."""
    rows = [
        (item.service_id or last_part(item.name), item.title, item.owner, labels_text(item.labels.items()))
        for item in items
    ]
    return table(("service", "title", "owner", "labels"), rows, empty="no services")


def environments(items: Sequence[catalog_pb2.Environment]) -> Document:
    """Return environments as a table."""
    rows = [
        (
            item.environment_id or last_part(item.name),
            item.title,
            "progressive" if item.progressive else "",
            ", ".join(item.required_policies),
            labels_text(item.labels.items()),
        )
        for item in items
    ]
    return table(
        ("environment", "title", "rollout", "required policies", "labels"), rows, empty="no environments"
    )


def bindings(items: Sequence[catalog_pb2.ObserveOnlyBinding]) -> Document:
    """Return observe-only bindings as a table."""
    rows = [
        (f"{item.service}/{item.environment}", item.owner, item.reason, time_words(item.expire_time),
         time_words(item.end_time), item.name)
        for item in items
    ]  # fmt: skip
    headers = ("workload", "owner", "reason", "until", "ended", "name")
    return table(headers, rows, empty="no observe-only bindings")


def roles(items: Sequence[access_pb2.RoleBinding]) -> Document:
    """Return role bindings as a table."""
    rows = [
        (item.principal, item.role, scope_words(item), time_words(item.create_time), item.name)
        for item in items
    ]
    return table(("principal", "role", "where", "granted", "name"), rows, empty="no role bindings")


def scope_words(binding: access_pb2.RoleBinding) -> str:
    """Return where a role counts."""
    parts = [
        ("services", binding.services),
        ("environments", binding.environments),
        ("kinds", binding.evidence_kinds),
    ]
    return "; ".join(f"{name} {', '.join(values)}" for name, values in parts if values) or "everywhere"


def tokens(items: Sequence[access_pb2.APIToken]) -> Document:
    """Return tokens as a table; their secrets are known to nobody."""
    rows = [
        (item.title, item.principal, time_words(item.expire_time), time_words(item.revoke_time), item.name)
        for item in items
    ]
    return table(("title", "principal", "expires", "revoked", "name"), rows, empty="no tokens")


def bans(items: Sequence[access_pb2.Ban]) -> Document:
    """Return bans as a table."""
    rows = [
        (item.principal, item.credential or "all", item.reason, time_words(item.end_time), item.name)
        for item in items
    ]
    return table(("principal", "credential", "reason", "ended", "name"), rows, empty="no bans")


def tenants(items: Sequence[tenant_pb2.Tenant]) -> Document:
    """Return tenants as a table."""
    rows = [
        (item.tenant_id or last_part(item.name), item.title, short_name(_TENANT_STATE, item.state),
         "two people" if item.second_person else "", time_words(item.create_time))
        for item in items
    ]  # fmt: skip
    return table(("tenant", "title", "state", "weakenings by", "made"), rows, empty="no tenants")


def trusts(items: Sequence[trust_pb2.TrustConfiguration]) -> Document:
    """Return revisions of what is trusted as a table."""
    rows = [
        (str(item.revision), str(len(item.roots)), _names(item.rules), _names(item.keys), item.author,
         time_words(item.create_time))
        for item in items
    ]  # fmt: skip
    headers = ("revision", "roots", "identities", "keys", "author", "made")
    return table(headers, rows, empty="nothing is trusted")


def _names(items: Iterable[trust_pb2.SignerRule | trust_pb2.TrustedKey]) -> str:
    return ", ".join(item.name for item in items)
