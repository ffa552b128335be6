"""Writes a policy as the file that `policy apply` takes."""

from __future__ import annotations

from typing import Any

from google.protobuf import duration_pb2
from google.protobuf.message import Message

from release_passport.durations import format_policy_duration
from release_passport.enum_names import short_name
from release_passport.policy_file import API_VERSION, KIND
from release_passport.v1 import policy_pb2


def policy_yaml(policy: policy_pb2.Policy) -> str:
    """Return the policy as YAML: short enum names, durations as texts, only what is set."""
    import yaml

    document = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": policy.policy_id or policy.name.rsplit("/", 1)[-1]},
        "spec": _fields(policy.spec),
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _fields(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            found[field.name] = dict(sorted(value.items()))
        elif field.is_repeated:
            found[field.name] = [_value(field, item) for item in value]
        else:
            found[field.name] = _value(field, value)
    return found


def _value(field: Any, value: Any) -> Any:
    if isinstance(value, duration_pb2.Duration):
        return format_policy_duration(value.ToTimedelta())
    if isinstance(value, Message):
        return _fields(value)
    return short_name(field.enum_type, value) if field.enum_type is not None else value
