"""What services need to know about rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from release_passport_server.domain.access import Grant, Principal, Scope, Verb
from release_passport_server.domain.access_review import AccessQuestion, Ruling


class Authorizer(Protocol):
    """Says who may do what; whatever nobody granted is denied.

    An empty service or environment asks about all of them, which only the scope `*` covers. `kind` is the kind of
    evidence to submit and belongs to `Verb.SUBMIT`; a submit question without one is denied but to who may submit
    every kind. The tenant is always the principal's own: see `same_tenant` for names that callers send.
    """

    def require(
        self,
        principal: Principal,
        verb: Verb,
        *,
        service: str = "",
        environment: str = "",
        kind: str = "",
    ) -> None:
        """Raise Denied unless the principal may do this there."""
        ...

    def require_somewhere(self, principal: Principal, verb: Verb, *, kind: str = "") -> None:
        """Raise Denied unless the principal may do this in some scope: for what belongs to no one service."""
        ...

    def require_grantable(self, principal: Principal, grant: Grant) -> None:
        """Raise Denied unless the principal itself holds all that the grant would give; Invalid for no such role."""
        ...

    def allowed_scopes(self, principal: Principal, verb: Verb, *, kind: str = "") -> tuple[Scope, ...]:
        """Return where the principal may do this, the widest alone where it is everywhere; empty is nowhere."""
        ...

    def verbs(self, principal: Principal) -> frozenset[Verb]:
        """Return what the principal may do in some scope."""
        ...

    def roles(self, principal: Principal) -> frozenset[str]:
        """Return the names of the principal's roles."""
        ...

    def role_names(self, tenant: str) -> frozenset[str]:
        """Return the roles that can be granted in this tenant."""
        ...

    def ruling(self, tenant: str, grant: Grant, question: AccessQuestion) -> Ruling:
        """Return what a grant alone says to a question, and the rule that decides."""
        ...

    def role_rights(self, tenant: str, role: str) -> Mapping[Verb, tuple[str, ...]]:
        """Return what a role allows, with the kinds of evidence of each verb; nothing for no such role."""
        ...

    def generation(self, tenant: str) -> int:
        """Return the generation of the tenant's grants that answers are given from; -1 where none is loaded."""
        ...


class Grants(Protocol):
    """Takes the grants that an authorizer answers from."""

    def replace(self, tenant: str, generation: int, grants: Iterable[Grant]) -> bool:
        """Answer from these grants from now on, all at once; return False where newer ones are loaded already."""
        ...

    def forget(self, tenant: str) -> None:
        """Deny everything in the tenant until grants are loaded again."""
        ...
