"""Run compiled expressions: the only place where a value of the CEL library becomes one of ours.

The library returns errors as values that are true, loses references to None on Python 3.11 and cuts Python text
at a NUL. So the type of every result is looked at before its value, and evidence goes in as protobuf messages.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cel_expr_python import cel
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from release_passport_server.adapters.cel.analysis import CUSTOM_VARIABLE
from release_passport_server.adapters.cel.path import CUSTOM
from release_passport_server.domain.expression import ExpressionContext, ExpressionFailure

MAX_TEXT = 4096

# What the library says, and what we say for it: its own text can hold values out of the evidence.
_DETAILS = (
    ("budget", "it ran out of its budget of iterations"),
    ("by zero", "it divides by zero"),
    ("Key not found", "a map has no such key"),
    ("no such key", "a map has no such key"),
    ("Index", "an index is out of range"),
    ("position", "an index is out of range"),
    ("<pos>", "an index is out of range"),
    ("overflow", "a number is out of range"),
    ("out of range", "a number is out of range"),
    ("No value with name", "a variable that it reads has no value"),
    ("timezone", "a time zone is not known"),
    ("conver", "a conversion failed"),
    ("overload", "a value has the wrong type"),
    ("format", "a text could not be formatted"),
    ("clause", "a text could not be formatted"),
)


def keep_none_alive() -> None:
    """Give None so many references that those which the library drops do not matter, before Python 3.12."""
    if sys.version_info < (3, 12):
        ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40


keep_none_alive()


class Runtime:
    """What the programs of one environment share: it makes their activations, one for each context."""

    __slots__ = ("_classes", "_env", "_last_now", "_names")

    def __init__(self, env: cel.Env, kinds: Mapping[str, Descriptor]) -> None:
        """Take the environment, and the message of each built-in kind."""
        self._env = env
        # The rules of one decision share their time; it is converted once.
        self._last_now: tuple[datetime | None, Timestamp] = (None, Timestamp())
        self._classes = {kind: GetMessageClass(message) for kind, message in kinds.items()}
        self._names = {kind: f"evidence.{kind}" for kind in kinds}

    def activation(self, context: ExpressionContext) -> cel.Activation:
        """Return the values of a context as programs take them."""
        if context.now.tzinfo is None:
            raise ValueError("now has no time zone")
        data: dict[str, Any] = {"release": context.release, "now": self._now(context.now)}
        if context.attempt is not None:
            data["attempt"] = context.attempt
        custom: Struct | None = None
        classes, names = self._classes, self._names
        for kind, facts in context.evidence.items():
            if classes.get(kind) is type(facts):
                data[names[kind]] = facts
            elif kind.startswith(CUSTOM) and isinstance(facts, Struct):
                custom = custom or Struct()
                custom.fields[kind.removeprefix(CUSTOM)].struct_value.CopyFrom(facts)
            else:
                raise TypeError("evidence is not of its kind's type")
        if custom is not None:
            data[CUSTOM_VARIABLE] = custom
        return self._env.Activation(data)

    def _now(self, time: datetime) -> Timestamp:
        """Return the time as a message: an environment that has only read programs back takes no datetime."""
        known, message = self._last_now
        if known != time:
            message = Timestamp()
            message.FromDatetime(time)
            self._last_now = (time, message)
        return message


def typed(result: cel.Value, value: object) -> str | ExpressionFailure:
    """Return the text that a program gave, or why what it gave is no answer; `value` is not true or false."""
    match result.type().name():
        case "STRING":
            return str(value)
        case "ERROR":
            return ExpressionFailure(detail(str(value)))
        case other:
            return ExpressionFailure(f"it gave a value of type {other.lower()}")


def detail(text: str) -> str:
    """Return what we say where the library says `text`."""
    return next((ours for theirs, ours in _DETAILS if theirs in text), "it could not be evaluated")
