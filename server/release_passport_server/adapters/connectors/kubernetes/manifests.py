"""Reads manifests that nobody has checked: what is not there, or of another form, is not known, and left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from release_passport_server.adapters.connectors.reading import stamp, text_of, time_of

_IMAGE_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")
_MOST = 100


def part(manifest: object, *path: str) -> Any:
    """Return what stands below a path of fields, None where there is nothing."""
    found: Any = manifest
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def fields(manifest: object, *path: str) -> Mapping[str, Any]:
    """Return the object below a path, empty where there is none."""
    found = part(manifest, *path)
    return found if isinstance(found, Mapping) else {}


def entries(manifest: object, *path: str) -> Sequence[Mapping[str, Any]]:
    """Return the objects of the list below a path, empty where there is none."""
    found = part(manifest, *path)
    if not isinstance(found, list):
        return ()
    return [one for one in found if isinstance(one, Mapping)]


def word(manifest: object, *path: str) -> str:
    """Return the text below a path in one line, empty where there is none."""
    return text_of(part(manifest, *path))


def count(manifest: object, *path: str) -> int | None:
    """Return the whole number below a path that is not negative, None where there is none."""
    found = part(manifest, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**31 else None


def flag(manifest: object, *path: str) -> bool:
    """Say whether a switch is on; switches that are off are left out of manifests."""
    return part(manifest, *path) is True


def moment(manifest: object, *path: str) -> str | None:
    """Return the time below a path as protobuf's JSON has it, None where there is none."""
    found = time_of(part(manifest, *path))
    return None if found is None else stamp(found)


def known(**facts: object) -> dict[str, Any]:
    """Return the facts that are known: neither None nor an empty text."""
    return {name: value for name, value in facts.items() if value is not None and value != ""}


def numbers(**facts: int | None) -> dict[str, Any]:
    """Return the whole numbers that are known, as protobuf's JSON has 64 bits."""
    return {name: str(value) for name, value in facts.items() if value is not None}


def conditions(manifest: object) -> list[dict[str, Any]]:
    """Return the conditions of a status as facts."""
    return [
        known(
            type=word(one, "type"),
            status=word(one, "status"),
            reason=word(one, "reason"),
            message=word(one, "message"),
            transition_time=moment(one, "lastTransitionTime"),
        )
        for one in entries(manifest, "status", "conditions")[:_MOST]
    ]


def condition(manifest: object, kind: str) -> Mapping[str, Any]:
    """Return the condition of a type, empty where there is none."""
    for one in entries(manifest, "status", "conditions"):
        if one.get("type") == kind:
            return one
    return {}


def generation_current(manifest: object) -> bool | None:
    """Say whether the status is about the newest generation; None where that cannot be told."""
    wanted, seen = count(manifest, "metadata", "generation"), count(manifest, "status", "observedGeneration")
    if wanted is None or seen is None or seen > wanted:
        return None
    return seen == wanted


def containers(template: object) -> Iterator[Mapping[str, Any]]:
    """Yield the containers of a pod template, init containers first."""
    for name in ("initContainers", "containers"):
        yield from entries(template, "spec", name)


def digests(images: Iterable[object]) -> list[str] | None:
    """Return the digests of images, each once; None where one has none, or there are none at all."""
    found: dict[str, None] = {}
    for image in images:
        match = _IMAGE_DIGEST.search(image) if isinstance(image, str) else None
        if match is None:
            return None
        found[match[1]] = None
    return list(found) or None


def template_digests(template: object) -> list[str] | None:
    """Return the digests that a pod template names, each once; None where they cannot be known from it."""
    return digests(one.get("image") for one in containers(template))
