"""Write the JSON schemas of policy files and their tests, for editors, from the contract in proto/.

Run `python policies/schema/generate.py` after a change of the contract; a test fails until it was run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypeAlias

from google.protobuf import descriptor_pb2

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
Schema: TypeAlias = dict[str, Json]

SCHEMA_DIR = Path(__file__).resolve().parent
PROTO_DIR = SCHEMA_DIR.parents[1] / "proto"
PACKAGE = ".release_passport.v1."
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?"

Field = descriptor_pb2.FieldDescriptorProto
_SCALARS: dict[int, str] = {
    Field.TYPE_STRING: "string",
    Field.TYPE_BYTES: "string",
    Field.TYPE_BOOL: "boolean",
    Field.TYPE_INT32: "integer",
    Field.TYPE_INT64: "integer",
    Field.TYPE_DOUBLE: "number",
}
_DURATION = r"^([0-9]{1,9}(\.[0-9]{1,9})?(ms|d|h|m|s)){1,5}$"

# What the contract says in words only: required fields, and the forms of names.
_REQUIRED = {
    "PolicySpec": ["mode", "rules"],
    "PolicyVariable": ["name", "expression"],
    "Rule": ["rule_id", "title", "needs", "expect"],
    "Need": ["kind"],
    "ApprovalRequirement": ["groups"],
    "ApprovalGroup": ["group", "count"],
    "ApprovalEscalation": ["group", "after"],
    "WatchRequirement": ["duration"],
    "CanaryConstraints": ["max_weight"],
    "ReleaseIdentity": ["service", "environment", "version", "source_revision", "artifacts"],
    "Artifact": ["name", "digest"],
    "ServiceEnvironment": ["service", "environment"],
}
_EXTRA: dict[tuple[str, str], Schema] = {
    ("PolicySpec", "rules"): {"minItems": 1, "maxItems": 500},
    ("PolicySpec", "variables"): {"maxItems": 32},
    ("PolicyVariable", "name"): {"pattern": "^[a-z][a-z0-9_]{0,62}$"},
    ("Rule", "rule_id"): {"pattern": f"^{ID}$"},
    ("Rule", "failures"): {"minimum": 1, "maximum": 256},
    ("Need", "sources"): {"minItems": 1},
    ("Need", "min_samples"): {"minimum": 0, "maximum": 256},
    ("Need", "retries"): {"minimum": 0, "maximum": 100},
    ("ApprovalGroup", "count"): {"minimum": 1, "maximum": 10},
    ("ApprovalGroup", "delegates"): {"maxItems": 8},
    ("CanaryConstraints", "max_weight"): {"minimum": 1, "maximum": 100},
    ("Artifact", "digest"): {"pattern": "^sha256:[0-9a-f]{64}$"},
}
# What is unknown never allows and never recommends a rollback, and what fails never allows.
_UNKNOWN_VERDICTS = ["REQUIRE_APPROVAL", "HOLD", "BLOCK"]
_FAIL_VERDICTS = [*_UNKNOWN_VERDICTS, "ROLLBACK_RECOMMENDED"]


class Contract:
    """The messages and enums of the contract, each with its comment."""

    def __init__(self, files_: descriptor_pb2.FileDescriptorSet) -> None:
        self.messages: dict[str, descriptor_pb2.DescriptorProto] = {}
        self.enums: dict[str, descriptor_pb2.EnumDescriptorProto] = {}
        self.comments: dict[str, str] = {}
        for file in files_.file:
            if not file.name.startswith("release_passport/"):
                continue
            places = {
                tuple(place.path): _words(place.leading_comments) for place in file.source_code_info.location
            }
            for index, message in enumerate(file.message_type):
                self.messages[message.name] = message
                self.comments[message.name] = places.get((4, index), "")
                for number, field in enumerate(message.field):
                    self.comments[f"{message.name}.{field.name}"] = places.get((4, index, 2, number), "")
            self.enums.update({enum.name: enum for enum in file.enum_type})

    def kinds(self) -> list[str]:
        """Return the names of the built-in evidence kinds."""
        return [field.name for field in self.messages["EvidenceFacts"].field if field.name != "custom"]


class Definitions:
    """The `$defs` of one schema, filled as messages are asked for.

    Enums are written in short, such as ENFORCE for POLICY_MODE_ENFORCE. A fact may be null: that takes it away in a
    case which changes a fixture.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.schemas: dict[str, Json] = {}

    def ref(self, name: str, *, facts: bool = False) -> Schema:
        """Return a reference to a message's schema, which is made if it is not there yet."""
        if name not in self.schemas:
            self.schemas[name] = None
            self.schemas[name] = self._message(name, facts)
        return {"$ref": f"#/$defs/{name}"}

    def _message(self, name: str, facts: bool) -> Schema:
        message = self.contract.messages[name]
        schema: Schema = {"type": "object", "additionalProperties": False}
        if self.contract.comments[name]:
            schema["description"] = self.contract.comments[name]
        schema["properties"] = {field.name: self._field(name, field, facts) for field in message.field}
        if name in _REQUIRED:
            schema["required"] = list[Json](_REQUIRED[name])
        if any(not oneof.name.startswith("_") for oneof in message.oneof_decl):
            schema |= {"minProperties": 1, "maxProperties": 1}
        return schema

    def _field(self, owner: str, field: Field, facts: bool) -> Schema:
        value = self._value(owner, field, facts)
        entry = self.contract.messages.get(owner)
        maps = {nested.name: nested for nested in entry.nested_type} if entry else {}
        if field.type_name.rsplit(".", 1)[-1] in maps:
            value = {"type": "object", "additionalProperties": {"type": "string"}}
        elif field.label == Field.LABEL_REPEATED:
            value = {"type": "array", "items": value}
        elif facts and "type" in value:
            value = _nullable(value)
        value |= _EXTRA.get((owner, field.name), {})
        comment = self.contract.comments[f"{owner}.{field.name}"]
        return {"description": comment, **value} if comment else value

    def _value(self, owner: str, field: Field, facts: bool) -> Schema:
        if field.type == Field.TYPE_ENUM:
            return {"type": "string", "enum": list[Json](self._enum_values(owner, field))}
        if field.type == Field.TYPE_MESSAGE:
            return self._message_value(field, facts)
        value: Schema = {"type": _SCALARS[field.type]}
        if owner == "Need" and field.name == "kind":
            custom: Schema = {"type": "string", "pattern": "^custom:[^/]+/.+$"}
            return {"anyOf": [{"enum": list[Json](self.contract.kinds())}, custom]}
        if facts and value["type"] == "integer":
            value["minimum"] = 0
        return value

    def _message_value(self, field: Field, facts: bool) -> Schema:
        match field.type_name:
            case ".google.protobuf.Duration":
                return {"type": "string", "pattern": _DURATION}
            case ".google.protobuf.Timestamp":
                return {"type": "string", "format": "date-time"}
            case ".google.protobuf.Struct":
                return {"type": "object"}
            case name if name.startswith(PACKAGE) and name.count(".") == PACKAGE.count("."):
                return self.ref(name.removeprefix(PACKAGE), facts=facts)
            case _:
                return {}

    def _enum_values(self, owner: str, field: Field) -> list[str]:
        name = field.type_name.removeprefix(PACKAGE)
        values = [value.name for value in self.contract.enums[name].value if value.number]
        if owner == "Rule" and name == "Verdict":
            return _FAIL_VERDICTS if field.name == "on_fail" else _UNKNOWN_VERDICTS
        return [value.removeprefix(_prefix(name)) for value in values]


def policy_schema(contract: Contract) -> Schema:
    """Return the schema of a policy file."""
    definitions = Definitions(contract)
    spec = definitions.ref("PolicySpec")
    # An enforced policy names who may say what it reads.
    need: Schema = {"items": {"required": ["sources"]}}
    definitions.schemas["PolicySpec"] = {
        **_object(definitions.schemas["PolicySpec"]),
        "if": {"properties": {"mode": {"const": "ENFORCE"}}},
        "then": {"properties": {"rules": {"items": {"properties": {"needs": need}}}}},
    }
    name: Schema = {"description": "id of the policy", "type": "string", "pattern": f"^{ID}$"}
    return {
        "$schema": DIALECT,
        "title": "Release Passport policy",
        **_closed(
            {
                "apiVersion": {"const": "release-passport.dev/v1"},
                "kind": {"const": "Policy"},
                "metadata": _closed({"name": name}, ["name"]),
                "spec": spec,
            },
            ["apiVersion", "kind", "metadata", "spec"],
        ),
        "$defs": definitions.schemas,
    }


def policy_test_schema(contract: Contract) -> Schema:
    """Return the schema of a policy's test file."""
    definitions = Definitions(contract)
    facts, subject = definitions.ref("EvidenceFacts", facts=True), definitions.ref("EvidenceSubject")
    definitions.ref("ReleaseIdentity")
    definitions.schemas["Release"] = _release(definitions)
    common: Schema = {
        "subject": {"description": 'what it is about; "{release}" stands for the release\'s name', **subject},
        "facts": {"description": "what it says", **facts},
        "source": {"description": "who is to have sent it, such as sa:ci", "type": "string"},
        "verified": {"description": "whether a trusted signature was verified", "type": "boolean"},
        "age": {"description": "how long before `now` it was observed, such as 5m", **_duration()},
        "observe_time": {"description": "when it was observed; instead of age", **_time()},
    }
    definitions.schemas["EvidenceFixture"] = _closed(common, ["subject", "facts", "source"])
    use: Schema = {
        "description": "name of a fixture; what stands beside it is merged over it",
        "type": "string",
    }
    definitions.schemas["EvidenceUse"] = _closed({"use": use, **common}, ["use"])
    definitions.schemas["Case"] = _case()
    definitions.schemas.pop("ReleaseIdentity")
    fixtures = _closed({"releases": _named("Release"), "evidence": _named("EvidenceFixture")}, ["releases"])
    return {
        "$schema": DIALECT,
        "title": "Test of a Release Passport policy",
        **_closed(
            {
                "policy": {"description": "the policy's file, beside this one", "type": "string"},
                "fixtures": fixtures,
                "cases": {"type": "array", "minItems": 1, "maxItems": 200, "items": {"$ref": "#/$defs/Case"}},
            },
            ["policy", "fixtures", "cases"],
        ),
        "$defs": definitions.schemas,
    }


def _release(definitions: Definitions) -> Schema:
    identity = _object(definitions.schemas["ReleaseIdentity"])
    labels: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    more: Schema = {
        "service_labels": {"description": "labels that the service is registered with", **labels},
        "environment_labels": {"description": "labels that the environment is registered with", **labels},
    }
    return {**identity, "properties": _object(identity["properties"]) | more}


def _case() -> Schema:
    verdicts: list[Json] = ["ALLOW", "ALLOW_WITH_CANARY", *_FAIL_VERDICTS]
    verdict: Schema = {"enum": verdicts}
    finding = _closed(
        {
            "rule": {
                "description": "the rule's id; empty for what the engine itself finds",
                "type": "string",
            },
            "verdict": verdict,
            "reason": {"description": "a reason code", "type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
        },
        ["rule"],
    )
    evidence: Schema = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/EvidenceUse"}]}
    expect = _closed(
        {
            "verdict": verdict,
            "effective_verdict": {"description": "the verdict that binds; any, where not said", **verdict},
            "findings": {"type": "array", "items": finding},
        },
        ["verdict"],
    )
    return _closed(
        {
            "name": {"description": "the fact that the case shows", "type": "string"},
            "now": {"description": "the time to decide at, such as 2026-03-02T10:00:00Z", **_time()},
            "stage": {"description": "default PRE_ROLLOUT", "enum": ["PRE_ROLLOUT", "WATCH"]},
            "release": {"description": "name of a release fixture", "type": "string"},
            "attempt_age": {
                "description": "how long ago the attempt was opened, at stage WATCH",
                **_duration(),
            },
            "is_first": {"description": "nothing was rolled out here before", "type": "boolean"},
            "is_restore": {"description": "the same digests passed here before", "type": "boolean"},
            "way_back_from": {
                "description": "with is_restore, the version that one goes back from: under way, or rolled back",
                "type": "string",
            },
            "evidence": {
                "description": "names of fixtures, or changed ones",
                "type": "array",
                "items": evidence,
            },
            "expect": expect,
        },
        ["name", "now", "release", "expect"],
    )


def _closed(properties: Schema, required: list[str]) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list[Json](required),
        "properties": properties,
    }


def _named(definition: str) -> Schema:
    return {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{definition}"}}


def _duration() -> Schema:
    return {"type": "string", "pattern": _DURATION}


def _time() -> Schema:
    return {"type": "string", "format": "date-time"}


def _nullable(value: Schema) -> Schema:
    widened: Schema = {**value, "type": [value["type"], "null"]}
    if isinstance(choices := value.get("enum"), list):
        widened["enum"] = [*choices, None]
    return widened


def _object(value: Json) -> Schema:
    assert isinstance(value, dict)
    return value


def _prefix(enum: str) -> str:
    words = "".join(f"_{char}" if char.isupper() else char.upper() for char in enum)
    return f"{words.removeprefix('_')}_"


def _words(comment: str) -> str:
    return " ".join(comment.split())


def load_contract() -> Contract:
    """Return the contract as it stands in proto/."""
    buf = Path(sys.executable).parent / "buf"
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "contract.bin")
        command = [buf, "build", "--as-file-descriptor-set", "--output", f"{out}#format=binpb"]
        subprocess.run(command, check=True, cwd=PROTO_DIR.parent)
        return Contract(descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()))


def generated() -> dict[str, str]:
    """Return the text of each schema by the name of its file."""
    contract = load_contract()
    schemas = {
        "policy.schema.json": policy_schema(contract),
        "policy_test.schema.json": policy_test_schema(contract),
    }
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def main() -> int:
    """Write the schemas beside this file."""
    for name, text in generated().items():
        (SCHEMA_DIR / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
