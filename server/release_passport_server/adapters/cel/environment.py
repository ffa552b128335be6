"""The names, types and functions that rules see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from cel_expr_python import cel
from cel_expr_python.ext.ext_math import ExtMath
from cel_expr_python.ext.ext_strings import ExtStrings
from google.protobuf.descriptor import Descriptor

from release_passport.v1 import evidence_pb2, rule_context_pb2
from release_passport_server.adapters.cel.analysis import CUSTOM_VARIABLE

PACKAGE = "release_passport.v1"

_COMPARISONS = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}


def built_in_kinds() -> dict[str, Descriptor]:
    """Return the message of each built-in evidence kind: the members of the oneof in EvidenceFacts."""
    fields = evidence_pb2.EvidenceFacts.DESCRIPTOR.oneofs_by_name["facts"].fields
    return {field.name: cast(Descriptor, field.message_type) for field in fields if field.name != "custom"}


def environment(kinds: Mapping[str, Descriptor], variables: Mapping[str, cel.Type]) -> cel.Env:
    """Return the environment of a rule; `variables` maps names such as `variables.x` to their types."""
    declared = {
        "release": cel.Type(rule_context_pb2.RuleRelease.DESCRIPTOR.full_name),
        "attempt": cel.Type(rule_context_pb2.RuleAttempt.DESCRIPTOR.full_name),
        "now": cel.Type.TIMESTAMP,
        CUSTOM_VARIABLE: cel.Type("google.protobuf.Struct"),
        **{f"evidence.{kind}": cel.Type(message.full_name) for kind, message in kinds.items()},
        **variables,
    }
    excluded = "".join(f'  - name: "{operator}"\n' for operator in _COMPARISONS)
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(f"stdlib:\n  exclude_functions:\n{excluded}"),
        variables=declared,
        functions=_comparisons(),
        extensions=[ExtStrings(), ExtMath()],
        # Lets a rule say HealthState.HEALTH_STATE_HEALTHY without the package.
        container=PACKAGE,
    )


def _comparisons() -> list[cel.FunctionDecl]:
    """Declare the order between numbers of different types, which the library computes but does not offer."""
    of = cel.Type
    numbers = {"int64": of.INT, "uint64": of.UINT, "double": of.DOUBLE}
    same = {
        "bool": of.BOOL,
        "string": of.STRING,
        "bytes": of.BYTES,
        "timestamp": of.TIMESTAMP,
        "duration": of.DURATION,
    }
    declarations = []
    for operator, name in _COMPARISONS.items():
        overloads = [cel.Overload(f"{name}_{kind}", of.BOOL, [type_, type_]) for kind, type_ in same.items()]
        for left, left_type in numbers.items():
            for right, right_type in numbers.items():
                suffix = left if left == right else f"{left}_{right}"
                overloads.append(cel.Overload(f"{name}_{suffix}", of.BOOL, [left_type, right_type]))
        declarations.append(cel.FunctionDecl(operator, overloads))
    return declarations
