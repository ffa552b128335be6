"""Resource names as people say them."""

from __future__ import annotations

import re

_RELEASE = re.compile(
    r"tenants/(?P<tenant>[^/]+)/services/(?P<service>[^/]+)/environments/(?P<environment>[^/]+)"
    r"/releases/(?P<version>[^/]+)"
)


def release_words(name: str) -> str:
    """Return a release's name as `checkout 1.4.2 → prod`; what is no such name stays as it is."""
    match = _RELEASE.match(name)
    if match is None:
        return name or "a release without a name"
    return f"{match['service']} {match['version']} → {match['environment']}"


def release_parts(name: str) -> tuple[str, str, str]:
    """Return service, environment and version of a release's name; empty texts where there are none."""
    match = _RELEASE.match(name)
    return (match["service"], match["environment"], match["version"]) if match else ("", "", "")


def last_part(name: str) -> str:
    """Return the last part of a resource name."""
    return name.rsplit("/", 1)[-1]
