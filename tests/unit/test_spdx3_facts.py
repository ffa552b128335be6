"""The facts that SPDX 3 documents yield: the same ones as those of SPDX 2 and CycloneDX, or fewer, never others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from release_passport_server.wire.intoto.predicates import facts_of
from release_passport_server.wire.intoto.statement import Statement

BASE = "https://acme.example/sbom/"
CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"


def element(spdx_id: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"spdxId": BASE + spdx_id, "type": kind, "creationInfo": "_:made", **more}


def licensed(package: str, to: str, how: str = "hasConcludedLicense") -> dict[str, Any]:
    name = f"{package}-{how}-{to.rpartition('/')[2]}"
    return element(name, "Relationship", relationshipType=how, **{"from": BASE + package, "to": [to]})


def expression(name: str, text: str) -> dict[str, Any]:
    return element(name, "simplelicensing_LicenseExpression", simplelicensing_licenseExpression=text)


CREATION = {
    "@id": "_:made",
    "type": "CreationInfo",
    "specVersion": "3.0.1",
    "created": "2026-11-22T10:00:00Z",
    "createdBy": [BASE + "ada"],
    "createdUsing": [BASE + "syft"],
}
PURL = [{"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": "pkg:npm/b@2"}]
GRAPH: list[dict[str, Any]] = [
    CREATION,
    element("document", "SpdxDocument", rootElement=[BASE + "bom"]),
    element("syft", "Tool", name="syft-1.30"),
    element(
        "a", "software_Package", software_packageVersion="1", software_packageUrl="pkg:npm/a@1", name="a"
    ),
    element("b", "software_Package", software_packageVersion="2", externalIdentifier=PURL, name="b"),
    element("c", "software_Package", software_packageVersion="3", name="c"),
    element("main", "software_File", name="./main"),
    expression("either", "MIT OR Apache-2.0"),
    expression("unknown", "NOASSERTION"),
    licensed("a", BASE + "either"),
    licensed("b", BASE + "unknown"),
    licensed("b", "https://spdx.org/licenses/BSD-3-Clause", "hasDeclaredLicense"),
    licensed("c", "https://spdx.org/rdf/3.0.1/terms/Licensing/NoAssertion"),
]
FACTS = {
    "format": "spdx-3.0.1",
    "generator": "syft-1.30",
    "create_time": "2026-11-22T10:00:00Z",
    "component_count": 3,
    "unidentified_count": 1,
    "unlicensed_count": 1,
    "licenses": ["BSD-3-Clause", "MIT OR Apache-2.0"],
    "complete": True,
}


def facts(
    graph: Any, context: Any = CONTEXT, predicate_type: str = "https://spdx.dev/Document", **more: Any
) -> dict[str, Any]:
    predicate = {"@context": context, "@graph": graph, **more}
    found = facts_of(Statement(frozenset(), predicate_type, json.loads(json.dumps(predicate))))
    assert found is not None
    assert found.kind == "sbom"
    said: dict[str, Any] = {}
    for field, value in found.message.ListFields():
        said[field.name] = value.ToJsonString() if field.name == "create_time" else value
    if "licenses" in said:
        said["licenses"] = list(said["licenses"])
    return said


@pytest.mark.parametrize("version", ["", "/v3.0", "/v3.0.1"])
def test_a_document_yields_the_facts_of_the_other_formats(version: str) -> None:
    assert facts(GRAPH, predicate_type=f"https://spdx.dev/Document{version}") == FACTS


def test_the_order_of_elements_changes_nothing() -> None:
    assert facts(GRAPH[::-1]) == FACTS


def test_creation_info_may_stand_in_its_place() -> None:
    inline = {**CREATION}
    del inline["@id"]
    document = element("document", "SpdxDocument") | {"creationInfo": inline}
    assert facts([document, *GRAPH[2:]]) == FACTS


@pytest.mark.parametrize(
    "context",
    [
        None,
        "https://acme.example/context.jsonld",
        "https://spdx.org/rdf/3.0.1/spdx-context.jsonld#",
        [CONTEXT, {"software_Package": "https://acme.example/Nothing"}],
        {"software_Package": "https://acme.example/Nothing"},
        7,
    ],
)
def test_names_of_another_context_mean_nothing(context: object) -> None:
    assert facts(GRAPH, context) == {}


def test_a_document_of_both_generations_is_neither() -> None:
    assert facts(GRAPH, spdxVersion="SPDX-2.3", packages=[]) == {}


@pytest.mark.parametrize(
    "graph", [None, 7, "x", {}, [], [7], [*GRAPH, "x"], [[]], [{"type": ["SpdxDocument"]}]]
)
def test_what_is_no_graph_has_no_facts(graph: object) -> None:
    assert facts(graph) == {}


def test_an_id_that_stands_twice_and_two_documents_say_nothing() -> None:
    assert facts([*GRAPH, expression("either", "GPL-3.0-only")]) == {}
    assert facts([*GRAPH, element("second", "SpdxDocument")]) == {}


@pytest.mark.parametrize(
    "to",
    [
        "https://elsewhere.example/licence",
        BASE + "a",
        BASE + "set",
        "https://spdx.org/licenses/MIT/../GPL",
        "https://spdx.org.example/licenses/MIT",
    ],
)
def test_a_licence_that_is_not_told_here_makes_the_list_no_whole_truth(to: str) -> None:
    members = element(
        "set", "expandedlicensing_ConjunctiveLicenseSet", expandedlicensing_member=[BASE + "set"]
    )
    found = facts([*GRAPH, members, licensed("c", to, "hasDeclaredLicense")])
    assert "complete" not in found
    assert (found["unlicensed_count"], found["licenses"]) == (1, FACTS["licenses"])


@pytest.mark.parametrize("to", [None, "x", [7], [{}], {}])
def test_a_broken_relationship_makes_the_list_no_whole_truth(to: object) -> None:
    broken = licensed("c", BASE + "either") | {"spdxId": BASE + "broken", "to": to}
    assert "complete" not in facts([*GRAPH, broken])


def test_what_is_imported_is_not_here() -> None:
    imported = [{"type": "ExternalMap", "externalSpdxId": "https://elsewhere.example/p"}]
    document = element("document", "SpdxDocument", **{"import": imported})
    found = facts([CREATION, document, *GRAPH[2:]])
    assert "complete" not in found
    assert found["component_count"] == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("specVersion", "2.3"), ("specVersion", "3.0\n"), ("specVersion", 3), ("created", "now")],
)
def test_what_is_no_version_or_time_is_unknown(field: str, value: object) -> None:
    found = facts([CREATION | {field: value}, *GRAPH[1:]])
    assert ("format" in found, "create_time" in found) == (field != "specVersion", field != "created")


def test_very_many_elements_are_counted_and_their_licences_left_out() -> None:
    many = [element(f"p{n}", "software_Package") for n in range(20_000)]
    said = [
        one
        for n in range(600)
        for one in (expression(f"l{n}", f"LicenseRef-{n}"), licensed(f"p{n}", f"{BASE}l{n}"))
    ]
    found = facts([*GRAPH[:3], *many, *said])
    assert (found["component_count"], found["unidentified_count"]) == (20_000, 20_000)
    assert "licenses" not in found
    assert "complete" not in found
