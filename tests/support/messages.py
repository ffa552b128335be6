"""Protobuf messages of any type, with any of their fields set."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

SCALARS: dict[int, st.SearchStrategy[object]] = {
    FieldDescriptor.TYPE_STRING: st.text(max_size=5),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=5),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
}
TIMES = st.builds(Timestamp, seconds=st.integers(-(10**10), 10**11), nanos=st.integers(0, 10**9 - 1))
DURATIONS = st.builds(Duration, seconds=st.integers(0, 10**11), nanos=st.integers(0, 10**9 - 1))
VALUES = st.recursive(
    st.one_of(
        st.just(Value(null_value=0)),  # type: ignore[arg-type]
        st.builds(Value, bool_value=st.booleans()),
        st.builds(Value, string_value=st.text(max_size=5)),
        st.builds(Value, number_value=st.floats(allow_nan=False, allow_infinity=False)),
    ),
    lambda inner: st.builds(Value, list_value=st.builds(ListValue, values=st.lists(inner, max_size=3))),
    max_leaves=5,
)
STRUCTS = st.builds(Struct, fields=st.dictionaries(st.text(max_size=5), VALUES, max_size=3))
KNOWN: dict[str, st.SearchStrategy[Message]] = {
    "google.protobuf.Timestamp": TIMES,
    "google.protobuf.Duration": DURATIONS,
    "google.protobuf.Struct": STRUCTS,
}


def values_of(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.message_type is not None:
        return messages(field.message_type)
    if field.enum_type is not None:
        # A number that has no name, too: a newer client may send one.
        return st.sampled_from([*field.enum_type.values_by_number, 9999])
    return SCALARS[field.type]


def messages(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    """Return messages of a type with any of their fields set, at any depth."""
    if descriptor.full_name in KNOWN:
        return KNOWN[descriptor.full_name]
    fields: dict[str, st.SearchStrategy[object]] = {}
    for field in descriptor.fields:
        values = values_of(field)
        fields[field.name] = st.lists(values, max_size=2) if field.is_repeated else values
    some = st.lists(st.sampled_from(sorted(fields)), max_size=6, unique=True)
    made = some.flatmap(lambda names: st.fixed_dictionaries({name: fields[name] for name in names}))
    return made.map(lambda given: GetMessageClass(descriptor)(**given))
