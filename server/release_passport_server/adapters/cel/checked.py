"""The checked syntax tree that the CEL library serialises: cel.expr.CheckedExpr of google/cel-spec.

No Python package that we depend on carries checked.proto, so the part that the guards read is described here.
What is not described survives a round trip as unknown fields.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

_TYPE_URL = "type.googleapis.com/cel.expr.CheckedExpr"

# message -> "name:number:type"; [] is repeated, {} a map with int64 keys, ? a member of the oneof.
_SCHEMA = {
    "CheckedExpr": "reference_map:2:{Reference} type_map:3:{Type} expr:4:Expr source_info:5:SourceInfo",
    "Reference": "name:1:string overload_id:3:[string]",
    "Type": "dyn:1:?Opaque primitive:3:?int32 list_type:6:?Opaque map_type:7:?Opaque",
    "Opaque": "",
    "SourceInfo": "line_offsets:3:[int32] positions:4:{int32}",
    "Constant": "null_value:1:?int32 bool_value:2:?bool int64_value:3:?int64 uint64_value:4:?uint64"
    " double_value:5:?double string_value:6:?string bytes_value:7:?bytes",
    "Expr": "id:2:int64 const_expr:3:?Constant ident_expr:4:?Ident select_expr:5:?Select call_expr:6:?Call"
    " list_expr:7:?List struct_expr:8:?Struct comprehension_expr:9:?Comprehension",
    "Ident": "name:1:string",
    "Select": "operand:1:Expr field:2:string test_only:3:bool",
    "Call": "target:1:Expr function:2:string args:3:[Expr]",
    "List": "elements:1:[Expr] optional_indices:2:[int32]",
    "Struct": "message_name:1:string entries:2:[Entry]",
    "Entry": "id:1:int64 field_key:2:string map_key:3:Expr value:4:Expr optional_entry:5:bool",
    "Comprehension": "iter_var:1:string iter_range:2:Expr accu_var:3:string accu_init:4:Expr"
    " loop_condition:5:Expr loop_step:6:Expr result:7:Expr iter_var2:8:string",
}
_PACKAGE = "release_passport_checked"


def _add_field(message: descriptor_pb2.DescriptorProto, spec: str) -> None:
    name, number, kind = spec.split(":")
    proto = descriptor_pb2.FieldDescriptorProto
    entry = message.field.add(name=name, number=int(number), label=proto.LABEL_OPTIONAL)
    if kind[0] == "?":
        entry.oneof_index = 0
    elif kind[0] in "[{":
        entry.label = proto.LABEL_REPEATED
    type_name = kind.strip("?[]{}")
    if kind[0] == "{":
        nested = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        nested.options.map_entry = True
        _add_field(nested, "key:1:int64")
        _add_field(nested, f"value:2:{type_name}")
        entry.type, entry.type_name = proto.TYPE_MESSAGE, f".{_PACKAGE}.{message.name}.{nested.name}"
    elif type_name in _SCHEMA:
        entry.type, entry.type_name = proto.TYPE_MESSAGE, f".{_PACKAGE}.{type_name}"
    else:
        entry.type = proto.Type.Value(f"TYPE_{type_name.upper()}")


def _checked_expr_class() -> type[Message]:
    """Build the message class in a pool of its own, beside whatever else knows cel.expr."""
    file = descriptor_pb2.FileDescriptorProto(name="checked.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        if "?" in fields:
            message.oneof_decl.add(name="kind")
        for spec in fields.split():
            _add_field(message, spec)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.CheckedExpr"))


_CheckedExpr = _checked_expr_class()


class Type(Enum):
    """What the checker knows of a node's type, as far as it bears on what the node costs."""

    TEXT = "text"
    LIST = "list"
    MAP = "map"
    ANY = "any"
    OTHER = "other"

    @property
    def whole(self) -> bool:
        """Say whether a value of the type may hold many others."""
        return self in (Type.LIST, Type.MAP, Type.ANY)


_KINDS = {"dyn": Type.ANY, "list_type": Type.LIST, "map_type": Type.MAP}
_STRING = 5


@dataclass(frozen=True, slots=True)
class Const:
    """A literal."""

    id: int
    value: object


@dataclass(frozen=True, slots=True)
class Ident:
    """A variable, a constant of an enum, or a type."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """A field or a map key after a dot; `test_only` is has()."""

    id: int
    operand: Node
    field: str
    test_only: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator; `args` begins with the receiver where there is one."""

    id: int
    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """A list written out."""

    id: int
    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class StructLiteral:
    """A map written out, or a message when `message_name` is set."""

    id: int
    message_name: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """What the macros all, exists, exists_one, filter and map expand to."""

    id: int
    iter_vars: tuple[str, ...]
    range: Node
    accu_var: str
    accu_init: Node
    condition: Node
    step: Node
    result: Node


Node = Const | Ident | Select | Call | ListLiteral | StructLiteral | Comprehension


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked expression: the message as it came, its tree, the overloads of each call, and places."""

    message: Any
    root: Node
    overloads: dict[int, frozenset[str]]
    source: str = field(repr=False)

    def type_of(self, node: Node) -> Type:
        """Return the type of a node; what the checker leaves out can be anything."""
        if node.id not in self.message.type_map:
            return Type.ANY
        type_ = self.message.type_map[node.id]
        kind = type_.WhichOneof("kind")
        return (
            Type.TEXT if kind == "primitive" and type_.primitive == _STRING else _KINDS.get(kind, Type.OTHER)
        )

    def place(self, node_id: int) -> tuple[int, int]:
        """Return the line and column, from 1, of a node."""
        return place_of(self.source, self.message.source_info.positions.get(node_id, 0))


def place_of(source: str, offset: int) -> tuple[int, int]:
    """Return the line and column, from 1, of an offset in code points."""
    starts = [0, *(index + 1 for index, char in enumerate(source) if char == "\n")]
    line = bisect_right(starts, max(0, offset))
    return line, max(0, offset) - starts[line - 1] + 1


def parse(serialized: bytes, source: str) -> Checked | None:
    """Read what the library serialised; None when it is nested more deeply than protobuf reads."""
    try:
        message: Any = _CheckedExpr.FromString(any_pb2.Any.FromString(serialized).value)
    except DecodeError:
        return None
    overloads = {node: frozenset(reference.overload_id) for node, reference in message.reference_map.items()}
    return Checked(message, _node(message.expr), overloads, source)


def serialize(message: Any) -> bytes:
    """Return the form that the library reads back."""
    return any_pb2.Any(type_url=_TYPE_URL, value=message.SerializeToString()).SerializeToString()


def _node(expr: Any) -> Node:
    match expr.WhichOneof("kind"):
        case "const_expr":
            kind = expr.const_expr.WhichOneof("kind")
            return Const(expr.id, None if kind == "null_value" else kind and getattr(expr.const_expr, kind))
        case "ident_expr":
            return Ident(expr.id, expr.ident_expr.name)
        case "select_expr":
            select = expr.select_expr
            return Select(expr.id, _node(select.operand), select.field, select.test_only)
        case "call_expr":
            call = expr.call_expr
            receiver = (_node(call.target),) if call.HasField("target") else ()
            return Call(expr.id, call.function, (*receiver, *map(_node, call.args)))
        case "list_expr":
            return ListLiteral(expr.id, tuple(map(_node, expr.list_expr.elements)))
        case "struct_expr":
            struct = expr.struct_expr
            return StructLiteral(expr.id, struct.message_name, tuple(map(_node, _entry_parts(struct))))
        case "comprehension_expr":
            loop = expr.comprehension_expr
            names = tuple(name for name in (loop.iter_var, loop.iter_var2) if name)
            range_, init, condition, step, result = map(_node, _loop_parts(loop))
            return Comprehension(expr.id, names, range_, loop.accu_var, init, condition, step, result)
        case other:
            raise ValueError(f"a syntax node of a kind that the guard does not know: {other}")


def appended(loop: Comprehension) -> Node | None:
    """Return what each turn of a filter() or map() adds to its list; None for every other loop."""
    step = loop.step
    if isinstance(step, Call) and step.function == "_?_:_" and len(step.args) == 3:
        step = step.args[1]
    if not (isinstance(step, Call) and step.function == "_+_" and len(step.args) == 2):
        return None
    accu, added = step.args
    if isinstance(accu, Ident) and accu.name == loop.accu_var and isinstance(added, ListLiteral):
        return added.elements[0] if len(added.elements) == 1 else None
    return None


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly under a node."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.args
        case ListLiteral():
            return node.elements
        case StructLiteral():
            return node.parts
        case Comprehension():
            return (node.range, node.accu_init, node.condition, node.step, node.result)
        case _:
            return ()


def expressions(expr: Any) -> Iterator[Any]:
    """Yield every Expr message of a tree, and every entry of its maps: all that carries an id."""
    yield expr
    match expr.WhichOneof("kind"):
        case "select_expr":
            parts = [expr.select_expr.operand]
        case "call_expr":
            call = expr.call_expr
            parts = [*([call.target] if call.HasField("target") else []), *call.args]
        case "list_expr":
            parts = list(expr.list_expr.elements)
        case "struct_expr":
            yield from expr.struct_expr.entries
            parts = _entry_parts(expr.struct_expr)
        case "comprehension_expr":
            parts = _loop_parts(expr.comprehension_expr)
        case _:
            parts = []
    for part in parts:
        yield from expressions(part)


def _entry_parts(struct: Any) -> list[Any]:
    return [
        part for entry in struct.entries for part in (entry.map_key, entry.value) if part.WhichOneof("kind")
    ]


def _loop_parts(loop: Any) -> list[Any]:
    return [loop.iter_range, loop.accu_init, loop.loop_condition, loop.loop_step, loop.result]
