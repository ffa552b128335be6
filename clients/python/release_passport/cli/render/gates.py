"""Gates, for people."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.names import last_part, release_words
from release_passport.cli.render.text import Document, table
from release_passport.cli.render.view import time_words
from release_passport.v1 import gate_pb2, verdict_pb2


def path(gate: gate_pb2.Gate) -> str:
    """Return the path that the gate's controller calls."""
    name = last_part(gate.name)
    if gate.controller == gate_pb2.GATE_CONTROLLER_FLAGGER:
        return f"/v1/flagger/{name}/{{hook}}"
    return f"/v1/argo-rollouts/{name}/verdict"


def listed(items: Sequence[gate_pb2.Gate]) -> Document:
    """Return gates as a table."""
    rows = [
        (
            last_part(item.name),
            f"{item.cluster}/{item.namespace}/{item.object_name}",
            f"{item.service} in {item.environment}",
            " ".join(item.hooks),
            gate_pb2.GateOnRollback.Name(item.on_rollback).removeprefix("GATE_ON_ROLLBACK_").lower(),
            "deleted" if item.HasField("delete_time") else path(item),
        )
        for item in items
    ]
    return table(("id", "object", "release", "hooks", "rollback", "path"), rows, empty="no gates")


def answers(items: Sequence[gate_pb2.GateAnswer]) -> Document:
    """Return what a gate was answered as a table."""
    rows = [
        (
            item.hook,
            item.answer.lower(),
            _verdict(item),
            release_words(item.release) if item.release else "",
            " ".join(item.reasons),
            time_words(item.change_time),
        )
        for item in items
    ]
    headers = ("hook", "answer", "verdict", "release", "reasons", "since")
    return table(headers, rows, empty="nobody has asked here")


def _verdict(item: gate_pb2.GateAnswer) -> str:
    """Return the verdict, nothing where none was asked for."""
    if not item.effective_verdict:
        return ""
    return verdict_pb2.Verdict.Name(item.effective_verdict).removeprefix("VERDICT_")
