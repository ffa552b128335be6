"""Which documents lie in a scope, by the keys that they are searched by: a place, or a release."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from release_passport_server.domain.access import Scope


def keys_in_scopes(tenant: str, scopes: Sequence[Scope], key: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a key is of a place in one of the scopes; no scope means nothing.

    Keys are `{service}/{environment}` or the name of a release. Services and environments are asked for one after the
    other, so that many globs of both are a sum of conditions and no product. A service or an environment that is itself
    called `environments` may pass though it lies outside: whoever may see it is looked at again behind the query.
    """
    return or_(false(), *(_in_scope(tenant, scope, key) for scope in scopes))


def _in_scope(tenant: str, scope: Scope, key: ColumnElement[str]) -> ColumnElement[bool]:
    if "*" in scope.services and "*" in scope.environments:
        return true()
    place = and_(
        not_(key.like("%/%/%")),
        _any(key, scope.services, "", "/%"),
        _any(key, scope.environments, "%/", ""),
    )
    release = and_(
        _any(key, scope.services, f"tenants/{tenant}/services/", "/environments/%"),
        _any(key, scope.environments, "%/environments/", "/releases/%"),
    )
    return or_(place, release)


def _any(key: ColumnElement[str], globs: Sequence[str], before: str, behind: str) -> ColumnElement[bool]:
    # Ids are in lower case, and SQLite's LIKE would not care.
    patterns = [before + _pattern(glob) + behind for glob in globs if glob == glob.lower()]
    return or_(false(), *(key.like(pattern, escape="\\") for pattern in patterns))


def _pattern(glob: str) -> str:
    escaped = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")
