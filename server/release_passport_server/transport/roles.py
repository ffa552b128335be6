"""What a process is for: which calls it answers, and whether it does jobs."""

from __future__ import annotations

import random
from collections.abc import Iterable
from enum import StrEnum

from release_passport_server.domain.errors import Unavailable
from release_passport_server.transport.grpc.methods import Method, all_methods


class Role(StrEnum):
    """One part of the work; a process has any of them."""

    # Calls with one answer, uploads of evidence, controllers at their gates, the files of the logs.
    API = "api"
    # Streams of answers: decisions as they change, entries of the log.
    WATCH = "watch"
    # Jobs: connectors, notifications, windows, renewals, the logs.
    WORKER = "worker"


Roles = frozenset[Role]
EVERY_ROLE: Roles = frozenset(Role)
# A name that is kept for a part that this version has not got.
_TO_COME = "console"


def roles_of(text: str) -> Roles:
    """Return the roles of a list such as `api,watch`; raise ValueError with what to write instead."""
    roles = set()
    for name in (part.strip() for part in text.split(",")):
        if name == _TO_COME:
            raise ValueError(f"this version has no {_TO_COME} to serve; leave it out")
        try:
            roles.add(Role(name))
        except ValueError:
            known = ", ".join(Role)
            raise ValueError(f"there is no role {name!r}; name some of {known} with commas between") from None
    return frozenset(roles)


def in_words(roles: Iterable[Role]) -> str:
    """Return the roles in the order in which they are documented."""
    given = set(roles)
    return ", ".join(role for role in Role if role in given)


def role_of(method: Method) -> Role:
    """Return the role that answers the method."""
    return Role.WATCH if method.server_streaming else Role.API


def services_of(roles: Roles) -> frozenset[str]:
    """Return the full names of the services of which these roles answer at least one method."""
    return frozenset(method.service for method in all_methods() if role_of(method) in roles)


def elsewhere(role: Role, roles: Roles) -> Unavailable | None:
    """Return why a process with these roles refuses what belongs to a role; None where it does not.

    Another process answers: so it is nothing that clients may take for final.
    """
    if role in roles:
        return None
    return Unavailable(
        "NOT_SERVED_HERE",
        f"this process serves {in_words(roles)} and not {role}; ask one that does, or have the load balancer "
        "send such calls there",
        metadata={"role": str(role)},
        # Steps, so that refusals are made once; chance, so that callers do not come back together.
        retry_after=round(random.uniform(0.5, 1.0), 1),  # noqa: S311
    )
