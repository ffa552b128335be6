"""Resource names from what people type: a whole name, or the short form inside the own tenant."""

from __future__ import annotations

import re

from release_passport.cli.failure import usage
from release_passport.cli.session import Session

_PART = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,126}"
_RELEASE = re.compile(rf"({_PART})/({_PART})/({_PART})")


def release_name(session: Session, text: str) -> str:
    """Return the resource name of a release given as SERVICE/ENVIRONMENT/VERSION or whole."""
    if text.startswith("tenants/"):
        return text
    match = _RELEASE.fullmatch(text)
    if match is None:
        raise usage(f"{text[:80]!r} is not a release; write SERVICE/ENVIRONMENT/VERSION, or the whole name")
    service, environment, version = match.groups()
    return f"tenants/{session.own_tenant}/services/{service}/environments/{environment}/releases/{version}"


def attempt_name(session: Session, text: str) -> str:
    """Return the resource name of an attempt given as SERVICE/ENVIRONMENT/VERSION/NUMBER or whole."""
    if text.startswith("tenants/"):
        return text
    release, _, number = text.rpartition("/")
    if not number.isdigit():
        raise usage(
            f"{text[:80]!r} is not an attempt; write SERVICE/ENVIRONMENT/VERSION/NUMBER, or the whole name"
        )
    return f"{release_name(session, release)}/attempts/{number}"


def decision_name(text: str) -> str:
    """Return the resource name of a decision, which is given whole."""
    if "/decisions/" not in text or not text.startswith("tenants/"):
        raise usage(f"{text[:80]!r} is not a decision; give the whole name, as `passport gate` prints it")
    return text


def child_name(session: Session, collection: str, text: str) -> str:
    """Return the resource name of something that stands directly under the tenant, such as a policy."""
    if text.startswith("tenants/"):
        return text
    if not re.fullmatch(_PART, text):
        raise usage(f"{text[:80]!r} is neither an id nor a whole name")
    return f"tenants/{session.own_tenant}/{collection}/{text}"
