"""What a single grant says to a question: the rule of it that allows, or how far it falls short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from release_passport_server.adapters.casbin.enforcer import rule_of
from release_passport_server.adapters.casbin.roles import Role
from release_passport_server.domain.access import Grant
from release_passport_server.domain.access_review import AccessQuestion, BindingOutcome, Ruling
from release_passport_server.domain.glob import any_matches

# The nearest first: of two lines of a role, the one that fits better is told.
_NEAREST = (
    BindingOutcome.ALLOWS,
    BindingOutcome.OTHER_KINDS,
    BindingOutcome.OTHER_PLACE,
    BindingOutcome.OTHER_VERBS,
)


def ruling_of(roles: Mapping[str, Role], tenant: str, grant: Grant, question: AccessQuestion) -> Ruling:
    """Return what a grant says to a question; with the grant's rules alone, Casbin gives the same answer."""
    role = roles.get(grant.role)
    if role is None or not role.grantable_in(tenant):
        return Ruling(BindingOutcome.UNKNOWN_ROLE)
    rulings = (*_rulings(role, tenant, grant, question), Ruling(BindingOutcome.OTHER_VERBS))
    return min(rulings, key=lambda one: _NEAREST.index(one.outcome))


def _rulings(role: Role, tenant: str, grant: Grant, question: AccessQuestion) -> Iterator[Ruling]:
    for permission in role.permissions:
        if permission.verb is question.verb:
            rule = tuple(rule_of(tenant, grant, permission))
            yield Ruling(_outcome(rule, question), rule)


def _outcome(rule: tuple[str, ...], question: AccessQuestion) -> BindingOutcome:
    _, _, services, environments, _, kinds, narrowed = rule
    if not (_fits(services, question.service) and _fits(environments, question.environment)):
        return BindingOutcome.OTHER_PLACE
    if not (_fits(kinds, question.kind) and _fits(narrowed, question.kind)):
        return BindingOutcome.OTHER_KINDS
    return BindingOutcome.ALLOWS


def _fits(globs: str, value: str) -> bool:
    return any_matches(tuple(globs.split()), value)
