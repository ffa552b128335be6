"""Find out what a change of a policy takes back, and which services would lose their last enforced one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from release_passport_server.domain.catalog import Environment, PolicyDocument, Service
from release_passport_server.domain.errors import Precondition, Violation
from release_passport_server.domain.notification import POLICY_WEAKENED, notification
from release_passport_server.domain.policy import Match
from release_passport_server.domain.record import FeedEvent, Page
from release_passport_server.domain.release import Place
from release_passport_server.domain.verdict import Mode
from release_passport_server.ports.policies import PolicyCompiler, PolicyOutline
from release_passport_server.ports.store import Reader, Transaction
from release_passport_server.services.asking import Ask

_PAGE = 1000
_SHOWN = 20
_ADVICE = (
    "their releases would hold, or go ahead where they are observed only. Add another ENFORCE policy for them "
    "first, or propose the change with `passport policy propose` and have another person apply it"
)


def require_enforced(
    reader: Reader, compiler: PolicyCompiler, before: PolicyDocument, after: object | None
) -> None:
    """Raise Precondition `LAST_ENFORCED` where a change leaves a registered service and environment unenforced.

    `after` is the policy's new spec, None where it is deleted.
    """
    lost = unenforced(reader, compiler, before, after)
    if lost:
        raise last_enforced(before.policy_id, lost, _ADVICE)


def require_alone(
    reader: Reader, compiler: PolicyCompiler, before: PolicyDocument, after: object | None
) -> tuple[str, ...]:
    """Return what a change takes back; raise Precondition where the tenant asks two people for that."""
    found = compiler.weakenings(before.spec, after)
    tenant = reader.find_tenant()
    if found and tenant is not None and tenant.second_person:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        text = (
            f"this weakens {before.policy_id} ({'; '.join(found[:_SHOWN])}{more}), and this tenant asks two people for "
            "that: propose it with `passport policy propose` and have another person apply it"
        )
        raise Precondition(
            "SECOND_PERSON_REQUIRED",
            text,
            violations=[Violation(before.policy_id, one) for one in found[:_SHOWN]],
        )
    return found


def announced(tx: Transaction, ask: Ask, policy_id: str, weakenings: Sequence[str]) -> dict[str, object]:
    """Tell people what one person took back alone; return what the audit entry says of it."""
    if not weakenings:
        return {}
    tx.emit(FeedEvent("WeakenPolicy", f"policies/{policy_id}", ("tenant",)))
    detail: dict[str, object] = {"weakenings": list(weakenings)}
    told = notification(
        POLICY_WEAKENED, tx.tenant, f"policies/{policy_id}", tx.now, principal=ask.principal.id, **detail
    )
    tx.schedule(told)
    return detail


def unenforced(
    reader: Reader, compiler: PolicyCompiler, before: PolicyDocument, after: object | None
) -> tuple[str, ...]:
    """Return every registered "service/environment" that a change takes the last ENFORCE policy from."""
    old = compiler.outline(before.spec)
    new = None if after is None else compiler.outline(after)
    if old.mode is not Mode.ENFORCE or new == old:
        return ()
    others = [
        compiler.outline(document.spec)
        for document in reader.active_policies()
        if document.policy_id != before.policy_id
    ]
    left = [one.match for one in (*others, *_given(new)) if one.mode is Mode.ENFORCE]
    return tuple(
        f"{place.service}/{place.environment}"
        for place in registered_places(reader)
        if old.match.selects(place) and not any(match.selects(place) for match in left)
    )


def registered_places(reader: Reader) -> Iterator[Place]:
    """Yield every registered service in every registered environment."""
    environments = list(_environments(reader))
    for service in _services(reader):
        for environment in environments:
            yield Place(
                service.service_id,
                environment.environment_id,
                service_labels=service.labels,
                environment_labels=environment.labels,
            )


def unmatched(reader: Reader, match: Match) -> Iterator[str]:
    """Yield what a policy's match selects that is not registered, in words."""
    services = [Match(services=(glob,)) for glob in match.services]
    environments = [Match(environments=(glob,)) for glob in match.environments]
    places = list(registered_places(reader))
    for index, one in enumerate(services):
        if not any(one.selects(place) for place in places):
            yield f"match.services[{index}]: {match.services[index]} matches no registered service"
    for index, one in enumerate(environments):
        if not any(one.selects(place) for place in places):
            yield f"match.environments[{index}]: {match.environments[index]} matches no registered environment"
    if not any(match.selects(place) for place in places):
        yield "match: selects no registered service in any registered environment"


def _given(outline: PolicyOutline | None) -> tuple[PolicyOutline, ...]:
    return () if outline is None else (outline,)


def last_enforced(policy_id: str, names: Sequence[str], advice: str) -> Precondition:
    """Return the error that lists what would have no ENFORCE policy left."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    listed = ", ".join(names[:_SHOWN]) + more
    text = f"{policy_id} is the last ENFORCE policy for {listed}: {advice}"
    violations = [Violation(name, "would have no ENFORCE policy left") for name in names[:_SHOWN]]
    metadata = {"count": str(len(names)), "places": listed}
    return Precondition("LAST_ENFORCED", text, metadata=metadata, violations=violations)


def _services(reader: Reader) -> Iterator[Service]:
    page = Page(_PAGE)
    while True:
        listed = reader.list_services(page)
        yield from listed.items
        if not listed.next_after:
            return
        page = Page(_PAGE, listed.next_after)


def _environments(reader: Reader) -> Iterator[Environment]:
    page = Page(_PAGE)
    while True:
        listed = reader.list_environments(page)
        yield from listed.items
        if not listed.next_after:
            return
        page = Page(_PAGE, listed.next_after)
