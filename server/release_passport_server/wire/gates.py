"""Gates between messages and the domain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release_passport.v1 import gate_pb2, gate_service_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.etags import gate_etag
from release_passport_server.domain.gate import (
    HOOKS,
    USUAL_HOOKS,
    Controller,
    Gate,
    GateAnswer,
    GateName,
    WantedGate,
)
from release_passport_server.wire.fields import (
    etag_violations,
    every_violation,
    refuse,
    slug_violations,
    text_violations,
)
from release_passport_server.wire.times import timestamp

MAX_TITLE = 256
MAX_INJECTED = 20
_KUBERNETES_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_UID = re.compile(r"[A-Za-z0-9-]{0,64}")
_NAME_RULE = "must be a name as Kubernetes takes it: lower-case letters, digits, hyphens and dots"


def gate_name(principal: Principal, name: str, *, field: str = "name") -> GateName:
    """Return a gate's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = GateName.parse(name, field=field)
    same_tenant(principal, parsed.tenant)
    return parsed


def gate_to_make(principal: Principal, request: gate_service_pb2.CreateGateRequest) -> WantedGate:
    """Return the gate that is wanted; raise Invalid or NotFound."""
    same_tenant(principal, request.tenant)
    refuse(list(_violations(request.gate)))
    return _wanted(request.gate)


def gate_to_change(
    principal: Principal, request: gate_service_pb2.UpdateGateRequest
) -> tuple[GateName, WantedGate]:
    """Return which gate is to become what; raise Invalid or NotFound."""

    def named() -> GateName:
        return GateName.parse(request.gate.name, field="gate.name")

    def rest() -> None:
        refuse([*_violations(request.gate), *etag_violations(request.gate.etag, "gate.etag")])

    with every_violation(named, rest):
        name = named()
        rest()
    same_tenant(principal, name.tenant)
    return name, _wanted(request.gate)


def gate_to_proto(tenant: str, gate: Gate) -> gate_pb2.Gate:
    """Return the resource that shows a gate; nothing of its credential."""
    return gate_pb2.Gate(
        name=str(GateName(tenant, gate.gate_id)),
        title=gate.title,
        controller=f"GATE_CONTROLLER_{gate.controller}",
        cluster=gate.cluster,
        namespace=gate.namespace,
        object_name=gate.object_name,
        object_uid=gate.object_uid,
        service=gate.service,
        environment=gate.environment,
        hooks=gate.hooks,
        on_rollback=f"GATE_ON_ROLLBACK_{gate.on_rollback}",
        trust=f"GATE_TRUST_{gate.trust}",
        injected_containers=gate.injected,
        creator=gate.creator,
        create_time=timestamp(gate.create_time),
        update_time=timestamp(gate.update_time),
        delete_time=None if gate.delete_time is None else timestamp(gate.delete_time),
        etag=gate_etag(gate),
        on_skip=f"GATE_ON_SKIP_{gate.on_skip}",
    )


def answer_to_proto(answer: GateAnswer) -> gate_pb2.GateAnswer:
    """Return the message that shows what a gate was answered."""
    verdict = answer.verdict
    return gate_pb2.GateAnswer(
        hook=answer.hook,
        digests=answer.digests,
        release=answer.release,
        answer=answer.answer,
        reasons=answer.reasons,
        decision=answer.decision,
        effective_verdict=None if verdict is None else f"VERDICT_{verdict.name}",
        first_time=timestamp(answer.first_time),
        change_time=timestamp(answer.change_time),
    )


def _wanted(gate: gate_pb2.Gate) -> WantedGate:
    controller = Controller(gate_pb2.GateController.Name(gate.controller).removeprefix("GATE_CONTROLLER_"))
    on_rollback = gate.on_rollback or gate_pb2.GATE_ON_ROLLBACK_RECOMMEND
    on_skip = gate.on_skip or gate_pb2.GATE_ON_SKIP_REPORT
    trust = gate.trust or gate_pb2.GATE_TRUST_CREDENTIAL
    return WantedGate(
        title=gate.title,
        controller=controller.value,
        cluster=gate.cluster,
        namespace=gate.namespace,
        object_name=gate.object_name,
        object_uid=gate.object_uid,
        service=gate.service,
        environment=gate.environment,
        hooks=tuple(gate.hooks) or USUAL_HOOKS[controller],
        on_rollback=gate_pb2.GateOnRollback.Name(on_rollback).removeprefix("GATE_ON_ROLLBACK_"),
        trust=gate_pb2.GateTrust.Name(trust).removeprefix("GATE_TRUST_"),
        injected=tuple(gate.injected_containers),
        on_skip=gate_pb2.GateOnSkip.Name(on_skip).removeprefix("GATE_ON_SKIP_"),
    )


def _violations(gate: gate_pb2.Gate) -> Iterator[Violation]:
    yield from text_violations(gate.title, "gate.title", most=MAX_TITLE)
    for name in ("cluster", "service", "environment"):
        yield from slug_violations(getattr(gate, name), f"gate.{name}")
    for name in ("namespace", "object_name"):
        if not _KUBERNETES_NAME.fullmatch(getattr(gate, name)):
            yield Violation(f"gate.{name}", _NAME_RULE)
    if not _UID.fullmatch(gate.object_uid):
        yield Violation("gate.object_uid", "must be a uid as Kubernetes makes it")
    for name, known in (
        ("controller", gate_pb2.GateController.values()),
        ("on_rollback", gate_pb2.GateOnRollback.values()),
        ("on_skip", gate_pb2.GateOnSkip.values()),
        ("trust", gate_pb2.GateTrust.values()),
    ):
        value = getattr(gate, name)
        if value not in known or (name == "controller" and not value):
            yield Violation(f"gate.{name}", "is required" if not value else "is not known")
    yield from _hook_violations(gate)
    yield from _container_violations(gate.injected_containers)


def _hook_violations(gate: gate_pb2.Gate) -> Iterator[Violation]:
    name = dict(zip(gate_pb2.GateController.values(), gate_pb2.GateController.keys(), strict=True)).get(
        gate.controller, ""
    )
    known = HOOKS.get(name.removeprefix("GATE_CONTROLLER_"), ())  # type: ignore[call-overload]
    for index, hook in enumerate(gate.hooks[: len(known) + 1]):
        if hook not in known or hook in gate.hooks[:index]:
            yield Violation(f"gate.hooks[{index}]", f"must be one of {', '.join(known)}, each once")


def _container_violations(names: Sequence[str]) -> Iterator[Violation]:
    if len(names) > MAX_INJECTED:
        yield Violation("gate.injected_containers", f"must be at most {MAX_INJECTED}")
    for index, name in enumerate(names[:MAX_INJECTED]):
        if not _KUBERNETES_NAME.fullmatch(name):
            yield Violation(f"gate.injected_containers[{index}]", _NAME_RULE)
