"""The OpenAPI 3.1 description of the HTTP edge, made from the compiled protos and their comments.

`generate.py` runs it: the compiled protos come on standard input, the description goes to standard output.
Unary RPCs are described as `POST` with protobuf JSON; an RPC that answers with a stream is described as
server-sent events; one that takes a stream has no HTTP form.
"""

import json
import sys
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

Schema = dict[str, object]

PACKAGE = "release_passport.v1"
_FIELD = FieldDescriptorProto
_MESSAGE_IN_FILE, _ENUM_IN_FILE, _SERVICE_IN_FILE = 4, 5, 6
_FIELD_OF_MESSAGE, _NESTED_MESSAGE, _NESTED_ENUM, _METHOD_OF_SERVICE = 2, 3, 4, 2

_SCALARS: dict[int, Schema] = {
    _FIELD.TYPE_BOOL: {"type": "boolean"},
    _FIELD.TYPE_STRING: {"type": "string"},
    _FIELD.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    _FIELD.TYPE_DOUBLE: {"type": ["number", "string"], "format": "double"},
    _FIELD.TYPE_FLOAT: {"type": ["number", "string"], "format": "float"},
}
_SMALL = {
    _FIELD.TYPE_INT32,
    _FIELD.TYPE_SINT32,
    _FIELD.TYPE_SFIXED32,
    _FIELD.TYPE_UINT32,
    _FIELD.TYPE_FIXED32,
}

# The types that protobuf JSON writes in a form of their own.
_WELL_KNOWN: dict[str, Schema] = {
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    ".google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    ".google.protobuf.FieldMask": {"type": "string"},
    ".google.protobuf.Empty": {"type": "object"},
    ".google.protobuf.Struct": {"type": "object"},
    ".google.protobuf.ListValue": {"type": "array"},
    ".google.protobuf.Value": {},
    ".google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}},
    ".google.protobuf.BoolValue": {"type": "boolean"},
    ".google.protobuf.StringValue": {"type": "string"},
    ".google.protobuf.Int32Value": {"type": "integer", "format": "int32"},
    ".google.protobuf.Int64Value": {"type": ["string", "integer"], "format": "int64"},
    ".google.protobuf.DoubleValue": {"type": ["number", "string"], "format": "double"},
}

_ERROR: Schema = {
    "type": "object",
    "description": "Error is the answer of a call that failed.",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {"type": "string", "description": "code is the gRPC code in lower case, such as not_found."},
        "message": {"type": "string", "description": "message says what is wrong, where, and what to do."},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "value"],
                "properties": {
                    "type": {
                        "type": "string",
                        "description": "type is the message, such as google.rpc.ErrorInfo.",
                    },
                    "value": {
                        "type": "string",
                        "description": "value is its bytes in base64 without padding.",
                    },
                    "debug": {
                        "type": "object",
                        "description": "debug is the same as JSON; its reason is stable.",
                    },
                },
            },
        },
    },
}


def openapi(compiled: bytes) -> bytes:
    """Return the description as JSON, from a serialized FileDescriptorSet with source info and imports."""
    files = [file for file in FileDescriptorSet.FromString(compiled).file if file.package == PACKAGE]
    schemas: dict[str, object] = {"Error": _ERROR}
    paths: dict[str, object] = {}
    for file in files:
        schemas |= dict(_schemas(file))
        paths |= dict(_paths(file))
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Release Passport",
            "version": "v1",
            "description": "Every unary RPC as POST with protobuf JSON, and every watch as server-sent events. The"
            " server refuses properties that it does not know; a client ignores those that it does not know, and"
            " takes an enum value that it does not know for HOLD.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"certificate": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "certificate": {"type": "mutualTLS"},
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _paths(file: FileDescriptorProto) -> Iterator[tuple[str, object]]:
    said = _comments(file)
    for number, service in enumerate(file.service):
        for index, method in enumerate(service.method):
            if method.client_streaming:
                continue
            text = said.get((_SERVICE_IN_FILE, number, _METHOD_OF_SERVICE, index), "")
            yield f"/{PACKAGE}.{service.name}/{method.name}", {"post": _operation(service, method, text)}


def _operation(service: ServiceDescriptorProto, method: MethodDescriptorProto, text: str) -> Schema:
    kind = "text/event-stream" if method.server_streaming else "application/json"
    answer: Schema = _reference(method.output_type)
    if method.server_streaming:
        answer = {
            "type": "string",
            "description": f"Each event's data is one {_short(method.output_type)} as JSON, its id the resume token"
            " where there is one. The event `error` is the last and holds an Error.",
        }
    operation: Schema = {
        "operationId": f"{service.name}_{method.name}",
        "tags": [service.name],
        "description": text,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _reference(method.input_type)}},
        },
        "responses": {
            "200": {"description": "The answer.", "content": {kind: {"schema": answer}}},
            "default": {
                "description": "The call failed.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if method.server_streaming:
        operation["parameters"] = [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "The id of the last event that was handled; it stands in for resumeToken.",
                "schema": {"type": "string"},
            }
        ]
    return operation


def _schemas(file: FileDescriptorProto) -> Iterator[tuple[str, Schema]]:
    said = _comments(file)
    for number, message in enumerate(file.message_type):
        yield from _message(message, message.name, (_MESSAGE_IN_FILE, number), said)
    for number, values in enumerate(file.enum_type):
        yield values.name, _enum(values, said.get((_ENUM_IN_FILE, number), ""))


def _message(
    message: DescriptorProto, name: str, path: tuple[int, ...], said: dict[tuple[int, ...], str]
) -> Iterator[tuple[str, Schema]]:
    maps = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    properties: Schema = {}
    for number, field in enumerate(message.field):
        schema = _field(field, maps)
        text = said.get((*path, _FIELD_OF_MESSAGE, number), "")
        properties[field.json_name] = schema | ({"description": text} if text else {})
    yield (
        name,
        {
            "type": "object",
            "description": said.get(path, ""),
            "properties": properties,
            "additionalProperties": False,
        },
    )
    for number, nested in enumerate(message.nested_type):
        if nested.name not in maps:
            yield from _message(nested, f"{name}.{nested.name}", (*path, _NESTED_MESSAGE, number), said)
    for number, values in enumerate(message.enum_type):
        yield f"{name}.{values.name}", _enum(values, said.get((*path, _NESTED_ENUM, number), ""))


def _field(field: FieldDescriptorProto, maps: dict[str, DescriptorProto]) -> Schema:
    entry = maps.get(field.type_name.rpartition(".")[2]) if field.type == _FIELD.TYPE_MESSAGE else None
    if entry is not None:
        return {"type": "object", "additionalProperties": _value(entry.field[1])}
    if field.label == _FIELD.LABEL_REPEATED:
        return {"type": "array", "items": _value(field)}
    return _value(field)


def _value(field: FieldDescriptorProto) -> Schema:
    if field.type in {_FIELD.TYPE_MESSAGE, _FIELD.TYPE_ENUM}:
        return _reference(field.type_name)
    if field.type in _SMALL:
        return {"type": "integer", "format": "int32"}
    return dict(_SCALARS.get(field.type, {"type": ["string", "integer"], "format": "int64"}))


def _enum(values: EnumDescriptorProto, text: str) -> Schema:
    return {"type": "string", "description": text, "enum": [value.name for value in values.value]}


def _reference(name: str) -> Schema:
    if name.startswith(".google.protobuf."):
        return dict(_WELL_KNOWN[name])
    return {"$ref": f"#/components/schemas/{_short(name)}"}


def _short(name: str) -> str:
    return name.removeprefix(f".{PACKAGE}.")


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(place.path): " ".join(place.leading_comments.split())
        for place in file.source_code_info.location
        if place.leading_comments
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(openapi(sys.stdin.buffer.read()))
