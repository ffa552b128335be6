"""Facts of SPDX 3 documents in their JSON form: a graph of elements that refer to each other by id.

It is read as JSON whose names are those of SPDX's own context. With another context the same names could mean anything,
and with two elements of one id nobody can say which is meant: neither yields counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from release_passport.v1 import evidence_pb2
from release_passport_server.wire.intoto.reading import at, fill, objects_at, text_at, texts_at, time_at
from release_passport_server.wire.intoto.sbom import NO_LICENSE, count, spdx
from release_passport_server.wire.intoto.strict_json import JSON

_Element = dict[str, JSON]

_CONTEXT = re.compile(r"https://spdx\.org/rdf/3\.\d{1,3}(?:\.\d{1,3})?/spdx-context\.jsonld", re.ASCII)
_VERSION = re.compile(r"3\.\d{1,3}(?:\.\d{1,3})?", re.ASCII)
_LISTED = re.compile(r"https?://spdx\.org/licenses/([A-Za-z0-9.+-]{1,100})", re.ASCII)
_NO_LICENSE_TERM = re.compile(r"https://spdx\.org/rdf/3\.[\d.]{1,7}/terms/Licensing/(?:NoAssertion|None)")
# Models and data sets are packages too.
_PACKAGES = frozenset({"software_Package", "ai_AIPackage", "dataset_DatasetPackage"})
_NO_LICENSE_TYPES = frozenset({"expandedlicensing_NoAssertionLicense", "expandedlicensing_NoneLicense"})
# What is concluded stands before what is declared.
_LICENSED = ("hasConcludedLicense", "hasDeclaredLicense")
_RELATIONSHIPS = frozenset({"Relationship", "LifecycleScopedRelationship"})
_IDENTIFIERS = frozenset({"packageUrl", "cpe22", "cpe23", "swhid", "swid", "gitoid"})


def spdx_document(predicate: JSON) -> tuple[evidence_pb2.Sbom, datetime | None]:
    """Return the facts of an SPDX document of either generation, and when it was made."""
    newer = at(predicate, "@context") is not None or at(predicate, "@graph") is not None
    if not newer:
        return spdx(predicate)
    context = text_at(predicate, "@context")
    if context is None or not _CONTEXT.fullmatch(context) or at(predicate, "spdxVersion") is not None:
        return evidence_pb2.Sbom(), None
    return _spdx3(objects_at(predicate, "@graph") or [])


def _spdx3(graph: list[_Element]) -> tuple[evidence_pb2.Sbom, datetime | None]:
    facts = evidence_pb2.Sbom()
    elements = _by_id(graph)
    documents = [one for one in graph if one.get("type") == "SpdxDocument"]
    if elements is None or len(documents) != 1:
        return facts, None
    creation = _referred(documents[0].get("creationInfo"), elements)
    create_time = time_at(creation, "created")
    version = text_at(creation, "specVersion")
    fill(
        facts,
        format=f"spdx-{version}" if version and _VERSION.fullmatch(version) else None,
        generator=_tool(creation, elements),
        create_time=create_time,
    )
    packages = [one for one in graph if text_at(one, "type") in _PACKAGES]
    licenses = _Licenses(graph, elements)
    found = [licenses.of(package) for package in packages]
    count(facts, sum(not _identified(package) for package in packages), found)
    if licenses.unresolved or documents[0].get("import"):
        # Something is said elsewhere: what is here is not the whole truth.
        facts.ClearField("complete")
    return facts, create_time


def _by_id(graph: Iterable[_Element]) -> dict[str, _Element] | None:
    """Return the elements by their ids; None where an id stands twice."""
    found: dict[str, _Element] = {}
    for one in graph:
        name = text_at(one, "spdxId") or text_at(one, "@id")
        if name is None:
            continue
        if name in found:
            return None
        found[name] = one
    return found


def _referred(value: JSON, elements: Mapping[str, _Element]) -> JSON:
    """Return the element that a reference names, or that stands in its place."""
    return elements.get(value) if isinstance(value, str) else value


def _tool(creation: JSON, elements: Mapping[str, _Element]) -> str | None:
    for name in texts_at(creation, "createdUsing") or []:
        if text_at(elements.get(name), "type") == "Tool":
            return text_at(elements[name], "name")
    return None


def _identified(package: _Element) -> bool:
    if text_at(package, "software_packageVersion") is None:
        return False
    given = objects_at(package, "externalIdentifier") or []
    return text_at(package, "software_packageUrl") is not None or any(
        text_at(one, "externalIdentifierType") in _IDENTIFIERS and text_at(one, "identifier") for one in given
    )


class _Licenses:
    """What a graph says of licences; one step from a package, so that no ring of references is followed."""

    def __init__(self, graph: Iterable[_Element], elements: Mapping[str, _Element]) -> None:
        self.unresolved = False
        self._elements = elements
        self._given: dict[tuple[str, str], list[str]] = {}
        for one in graph:
            relation = text_at(one, "relationshipType")
            if text_at(one, "type") not in _RELATIONSHIPS or relation not in _LICENSED:
                continue
            licensed, to = text_at(one, "from"), texts_at(one, "to")
            if licensed is None or to is None:
                self.unresolved = True
                continue
            self._given.setdefault((licensed, relation), []).extend(to)

    def of(self, package: _Element) -> set[str]:
        """Return the licences of a package: those concluded, else those declared."""
        name = text_at(package, "spdxId") or ""
        for relation in _LICENSED:
            found = {self._expression(to) for to in self._given.get((name, relation), ())} - {""}
            if found:
                return found
        return set()

    def _expression(self, name: str) -> str:
        """Return the expression that a reference to a licence stands for; empty for none and for one unknown."""
        one = self._elements.get(name)
        text = text_at(one, "simplelicensing_licenseExpression")
        if text is not None:
            return "" if text in NO_LICENSE else text
        listed = _LISTED.fullmatch(name)
        if listed is not None:
            return listed[1]
        if not (_NO_LICENSE_TERM.fullmatch(name) or text_at(one, "type") in _NO_LICENSE_TYPES):
            self.unresolved = True
        return ""
