"""What the API server's answers mean: paths, failures and objects, and nothing of their texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from release_passport_server.domain.cluster.rights import NotRead, Right, resource_of
from release_passport_server.domain.outbound import OutboundError, OutboundFailure
from release_passport_server.ports.cluster import (
    AccessMissing,
    ClusterError,
    ClusterFailure,
    ClusterUnavailable,
    HistoryGone,
    KindNotRead,
    ObjectNotFound,
    ObjectRef,
    TokenRefused,
)

# Longest time that a busy API server is given for which it asks by itself.
MAX_REST = 300.0


def path_of(wanted: ObjectRef, *, named: bool = True, query: Mapping[str, str] | None = None) -> str:
    """Return the path of an object, or of its kind in its namespace; raise KindNotRead."""
    try:
        resource = resource_of(wanted.api_version, wanted.kind)
    except NotRead as error:
        raise KindNotRead(str(error)) from error
    root = "/apis" if "/" in wanted.api_version else "/api"
    parts = [*wanted.api_version.split("/"), "namespaces", wanted.namespace, resource]
    if named:
        parts.append(wanted.name)
    if any(part in {"", ".", ".."} for part in parts):
        raise KindNotRead("the object has no name or no namespace")
    path = root + "".join(f"/{quote(part, safe='')}" for part in parts)
    return f"{path}?{urlencode(query)}" if query else path


def told(wanted: ObjectRef) -> str:
    """Return how an object is called in texts."""
    return f"{wanted.cluster}/{wanted.namespace}/{wanted.kind}/{wanted.name}"


def refused(
    status: int, wanted: ObjectRef, verb: str, after: float | None = None, *, named: bool = True
) -> ClusterError:
    """Return the failure that a status stands for, with the right that is missing where it is one."""
    what = told(wanted)
    match status:
        case 401:
            return TokenRefused(
                f"cluster {wanted.cluster} does not take the token: it has expired, or is another's"
            )
        case 403:
            name = wanted.name if named else ""
            right = Right.to((verb,), wanted.api_version, wanted.kind, wanted.namespace, name)
            return AccessMissing(f"the cluster's token may not read {what}: grant {right}", right)
        case 404:
            return ObjectNotFound(f"there is no {what}")
        case 410:
            return HistoryGone(f"cluster {wanted.cluster} forgot what happened to {what}")
        case 429 | 503 | 504:
            text = f"cluster {wanted.cluster} is busy: {status}"
            rest = None if after is None else min(max(after, 0.0), MAX_REST)
            return ClusterUnavailable(ClusterFailure.CLUSTER_BUSY, text, after=rest)
        case _:
            text = f"reading {what} was answered with {status}"
            return ClusterUnavailable(ClusterFailure.CLUSTER_UNREACHABLE, text)


def unreachable(error: OutboundError, wanted: ObjectRef) -> ClusterError:
    """Return the failure of a call that had no answer that can be used."""
    match error.failure:
        case OutboundFailure.TOO_LARGE:
            kind = ClusterFailure.ANSWER_TOO_LARGE
        case OutboundFailure.CONTENT_REFUSED | OutboundFailure.REDIRECT_REFUSED:
            kind = ClusterFailure.ANSWER_BROKEN
        case _:
            kind = ClusterFailure.CLUSTER_UNREACHABLE
    return ClusterUnavailable(kind, f"reading {told(wanted)}: {error.message}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return for how many seconds the server asks to be left alone."""
    given = headers.get("retry-after", "").strip()
    return float(given) if given.isdecimal() and len(given) < 6 else None


def parsed(body: bytes, wanted: ObjectRef) -> Mapping[str, Any]:
    """Return the object that a text is; raise ClusterUnavailable."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise broken(wanted, "something else than an object")
    return found


def object_of(found: object, wanted: ObjectRef) -> Mapping[str, Any]:
    """Return what was answered as the object that was asked for; raise ClusterUnavailable where it is another."""
    if not isinstance(found, dict) or found.get("kind") != wanted.kind:
        raise broken(wanted, "something else")
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("name") != wanted.name:
        raise broken(wanted, "another object")
    if metadata.get("namespace", wanted.namespace) != wanted.namespace:
        raise broken(wanted, "an object of another namespace")
    return found


def items_of(found: Mapping[str, Any], wanted: ObjectRef) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a list; raise ClusterUnavailable where it is none, or not all of it."""
    metadata, items = found.get("metadata"), found.get("items")
    if not isinstance(metadata, dict) or not isinstance(items, list):
        raise broken(wanted, "something else than a list")
    if metadata.get("continue"):
        raise ClusterUnavailable(
            ClusterFailure.ANSWER_TOO_LARGE, f"more objects than are read match {told(wanted)}"
        )
    # Items of a list do not repeat their kind.
    whole = [
        {"kind": wanted.kind, "apiVersion": wanted.api_version, **one} for one in items if _is_object(one)
    ]
    if len(whole) != len(items):
        raise broken(wanted, "a list of something else than objects")
    return tuple(whole)


def broken(wanted: ObjectRef, what: str) -> ClusterUnavailable:
    """Return the failure of an answer that is not what was asked for."""
    text = f"cluster {wanted.cluster} answers with {what}"
    return ClusterUnavailable(ClusterFailure.ANSWER_BROKEN, text)


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("metadata"), dict)
