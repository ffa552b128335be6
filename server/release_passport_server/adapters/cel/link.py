"""Put the variables that an expression reads around it, as cel.bind does: each is computed once, at first use.

The library can declare `variables.x` but not take a computed value back in, so the checked trees are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from release_passport_server.adapters.cel.analysis import VARIABLE
from release_passport_server.adapters.cel.checked import Checked, expressions, serialize


def link(main: Checked, variables: Sequence[tuple[str, Checked]]) -> bytes:
    """Return the serialised expression in which each variable, in the order given, is bound around `main`."""
    joined = type(main.message)()
    joined.CopyFrom(main.message)
    top = max(node.id for node in expressions(joined.expr))
    for name, variable in reversed(variables):
        top = _bind(joined, VARIABLE + name, variable, top)
    return serialize(joined)


def _bind(joined: Any, name: str, variable: Checked, top: int) -> int:
    """Wrap `joined` in a binding of `variable`; ids above `top` are free. Return the new highest id."""
    value = type(joined)()
    value.CopyFrom(variable.message)
    shift = top
    for node in expressions(value.expr):
        node.id += shift
        top = max(top, node.id)
    for node_id, reference in value.reference_map.items():
        joined.reference_map[node_id + shift].CopyFrom(reference)
    for node_id, type_ in value.type_map.items():
        joined.type_map[node_id + shift].CopyFrom(type_)
    body = type(joined.expr)()
    body.CopyFrom(joined.expr)
    joined.expr.Clear()
    joined.expr.id = top + 1
    loop = joined.expr.comprehension_expr
    loop.iter_var, loop.accu_var = "#unused", name
    loop.iter_range.id = top + 2
    loop.iter_range.list_expr.SetInParent()
    loop.accu_init.CopyFrom(value.expr)
    loop.loop_condition.id = top + 3
    loop.loop_condition.const_expr.bool_value = False
    loop.loop_step.id = top + 4
    loop.loop_step.ident_expr.name = name
    loop.result.CopyFrom(body)
    joined.type_map[top + 1].CopyFrom(joined.type_map[body.id])
    joined.type_map[top + 4].CopyFrom(value.type_map[variable.message.expr.id])
    joined.reference_map[top + 4].name = name
    return top + 4
