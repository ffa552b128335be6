"""What somebody may do and why: a question about rights, and what each role binding says to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.access import GROUP, Verb
from release_passport_server.domain.catalog import APIToken, RoleBinding


class BindingOutcome(StrEnum):
    """Whether a binding allows what was asked, or what it falls short of."""

    ALLOWS = "ALLOWS"
    UNKNOWN_ROLE = "UNKNOWN_ROLE"
    OTHER_VERBS = "OTHER_VERBS"
    OTHER_PLACE = "OTHER_PLACE"
    OTHER_KINDS = "OTHER_KINDS"


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """Whether somebody may do something somewhere; an empty service, environment or kind asks about all of them."""

    verb: Verb
    service: str = ""
    environment: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one grant says to a question, and the rule that allows it or comes nearest."""

    outcome: BindingOutcome
    rule: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BindingRuling:
    """What one role binding says to a question."""

    binding: RoleBinding
    ruling: Ruling

    @property
    def allows(self) -> bool:
        """Say whether the binding alone allows what was asked."""
        return self.ruling.outcome is BindingOutcome.ALLOWS


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """Whether somebody may do something, and what each of their bindings says to it."""

    principal: str
    banned: bool
    bindings: tuple[BindingRuling, ...]

    @property
    def allowed(self) -> bool:
        """Say whether one binding allows it and no ban stands."""
        return not self.banned and any(one.allows for one in self.bindings)

    def explanation(self, question: AccessQuestion) -> str:
        """Return in one sentence why the answer is what it is."""
        what = f"`{question.verb}` {question.kind}".rstrip()
        if self.banned:
            return f"{self.principal} may not {what}: a ban refuses it, whatever its bindings say"
        deciding = next((one.binding for one in self.bindings if one.allows), None)
        if deciding is not None:
            via = "" if deciding.principal == self.principal else f" through {deciding.principal}"
            return f"{self.principal} may {what}{via}: role {deciding.role} by role binding {deciding.binding_id}"
        if not self.bindings:
            return f"{self.principal} may not {what}: neither it nor a group that was named has a role here"
        return (
            f"{self.principal} may not {what}: none of its {len(self.bindings)} role bindings allows it there"
        )


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One line of an access review: what a binding gives to whom, and how long its holder can prove who it is."""

    binding: RoleBinding
    verbs: tuple[Verb, ...]
    kinds: tuple[str, ...]
    banned: bool
    tokens: int
    tokens_expire_time: datetime | None

    @property
    def group(self) -> bool:
        """Say whether the binding is for everybody in a group."""
        return self.binding.principal.startswith(GROUP)


def live_tokens(tokens: Iterable[APIToken], now: datetime) -> tuple[APIToken, ...]:
    """Return the tokens that still prove who somebody is."""
    return tuple(one for one in tokens if one.revoke_time is None and one.expire_time > now)
