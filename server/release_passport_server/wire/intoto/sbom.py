"""Facts of SBOMs: SPDX 2 documents and CycloneDX BOMs as predicates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from release_passport.v1 import evidence_pb2
from release_passport_server.wire.intoto.reading import fill, objects_at, text_at, texts_at, time_at, walk
from release_passport_server.wire.intoto.strict_json import JSON

_MAX_LICENSES = 500
_MAX_LICENSE_CHARS = 32 * 1024
NO_LICENSE = frozenset({"NOASSERTION", "NONE"})
_TOOL = "Tool: "


def spdx(predicate: JSON) -> tuple[evidence_pb2.Sbom, datetime | None]:
    """Return the facts of an SPDX 2 document, and when it was made."""
    facts = evidence_pb2.Sbom()
    create_time = time_at(predicate, "creationInfo", "created")
    creators = texts_at(predicate, "creationInfo", "creators") or []
    version = text_at(predicate, "spdxVersion")
    fill(
        facts,
        format=None if version is None else version.lower(),
        generator=next((name.removeprefix(_TOOL) for name in creators if name.startswith(_TOOL)), None),
        create_time=create_time,
    )
    packages = objects_at(predicate, "packages")
    if packages is not None:
        unidentified = sum(
            not (text_at(p, "versionInfo") and objects_at(p, "externalRefs")) for p in packages
        )
        count(facts, unidentified, [_spdx_licenses(package) for package in packages])
    return facts, create_time


def cyclonedx(predicate: JSON) -> tuple[evidence_pb2.Sbom, datetime | None]:
    """Return the facts of a CycloneDX BOM, and when it was made."""
    facts = evidence_pb2.Sbom()
    create_time = time_at(predicate, "metadata", "timestamp")
    version = text_at(predicate, "specVersion")
    # Components may stand inside components.
    listed = objects_at(predicate, "components")
    fill(
        facts,
        format=None if version is None else f"cyclonedx-{version}",
        generator=_cyclonedx_tool(predicate),
        create_time=create_time,
    )
    if listed is not None:
        components = list(walk(listed, "components"))
        unidentified = sum(
            not (text_at(c, "version") and (text_at(c, "purl") or text_at(c, "cpe"))) for c in components
        )
        count(facts, unidentified, [_cyclonedx_licenses(component) for component in components])
    return facts, create_time


def count(facts: evidence_pb2.Sbom, unidentified: int, licenses: list[set[str]]) -> None:
    """Fill in how many components there are, and what is known of them."""
    facts.component_count = len(licenses)
    facts.unidentified_count = unidentified
    facts.unlicensed_count = sum(not found for found in licenses)
    every = sorted(set().union(*licenses))
    # A list that is cut short could hide the one that matters: all or none.
    if len(every) <= _MAX_LICENSES and sum(map(len, every)) <= _MAX_LICENSE_CHARS:
        facts.licenses.extend(every)
        facts.complete = True


def _spdx_licenses(package: JSON) -> set[str]:
    for field in ("licenseConcluded", "licenseDeclared"):
        text = text_at(package, field)
        if text is not None and text not in NO_LICENSE:
            return {text}
    return set()


def _cyclonedx_licenses(component: JSON) -> set[str]:
    found: set[str] = set()
    for entry in objects_at(component, "licenses") or []:
        found.update(
            _first(
                text_at(entry, "license", "id"),
                text_at(entry, "license", "name"),
                text_at(entry, "expression"),
            )
        )
    return found


def _cyclonedx_tool(predicate: JSON) -> str | None:
    tools = objects_at(predicate, "metadata", "tools") or objects_at(
        predicate, "metadata", "tools", "components"
    )
    if not tools:
        return None
    return " ".join(_present(text_at(tools[0], "name"), text_at(tools[0], "version"))) or None


def _first(*texts: str | None) -> Iterable[str]:
    return _present(*texts)[:1]


def _present(*texts: str | None) -> list[str]:
    return [text for text in texts if text is not None]
