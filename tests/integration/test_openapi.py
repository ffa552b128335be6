"""The OpenAPI description is well formed and true of the running server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import pytest_asyncio
from google.protobuf import json_format

from release_passport_server.transport.grpc.methods import Method, all_methods
from support.requests import Names, request_for
from support.server import RealServer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "proto/openapi.json").read_bytes())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
SERVED = [method for method in all_methods() if not method.client_streaming]
UNARY = [method for method in SERVED if method.unary]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with real_server(tmp_path_factory.mktemp("described")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(server: RealServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    headers["authorization"] = f"Bearer {server.token}"
    url = f"http://127.0.0.1:{server.process.http_port}"
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield client


def require_schema(name: str, value: object) -> None:
    """Fail where the value is not what the schema of this name says."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def references(value: object) -> Iterator[str]:
    """Yield every reference inside a part of the document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for part in value if isinstance(value, list) else []:
        yield from references(part)


async def test_the_document_is_well_formed() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["description"], name
    found = {reference.removeprefix("#/components/schemas/") for reference in references(DOCUMENT)}
    assert found <= SCHEMAS.keys()
    operations = [path["post"] for path in DOCUMENT["paths"].values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["description"] for operation in operations)
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert {name for one in DOCUMENT["security"] for name in one} == schemes.keys()


async def test_the_paths_are_those_that_the_server_has() -> None:
    assert DOCUMENT["paths"].keys() == {method.path for method in SERVED}


@pytest.mark.parametrize("method", UNARY, ids=lambda method: method.path)
async def test_a_well_formed_request_fits_its_schema_and_one_with_an_unknown_field_does_not(
    method: Method,
) -> None:
    request = json_format.MessageToDict(request_for(method.name, Names("default", "shop")))
    require_schema(method.request.DESCRIPTOR.name, request)
    with pytest.raises(jsonschema.ValidationError):
        require_schema(method.request.DESCRIPTOR.name, request | {"unknownField": 1})


@pytest.mark.parametrize("method", SERVED, ids=lambda method: method.path)
async def test_every_path_is_served_and_refuses_unknown_fields_as_described(
    http: httpx.AsyncClient, method: Method
) -> None:
    answer = await http.post(method.path, json={"unknownField": 1})
    assert answer.status_code == 400
    require_schema("Error", answer.json())
    assert "unknownField" in answer.json()["message"] + answer.text


@pytest.mark.parametrize("name", ["WhoAmI", "ListServices", "ListPolicies", "ListRoleBindings"])
async def test_answers_fit_their_schemas(http: httpx.AsyncClient, name: str) -> None:
    method = next(one for one in UNARY if one.name == name)
    answer = await http.post(method.path, json={})
    assert answer.status_code == 200, answer.text
    require_schema(method.response.DESCRIPTOR.name, answer.json())
    json_format.Parse(answer.text, method.response())
