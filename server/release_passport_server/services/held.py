"""Find the workloads that wait at gates of ours, so that nobody takes their waiting for illness."""

from __future__ import annotations

from release_passport_server.domain.access import Scope
from release_passport_server.domain.gate import Controller, Gate, GateAnswer, HeldWorkload
from release_passport_server.domain.gate_table import CHANNELS, Answer, Channel
from release_passport_server.domain.record import Page
from release_passport_server.ports.store import Reader

_KINDS = {
    Controller.FLAGGER: ("flagger.app", "Canary"),
    Controller.ARGO_ROLLOUTS: ("argoproj.io", "Rollout"),
}
# At these a controller stands still until it is let go on; at the others it only hears or tells.
_WAITING = frozenset({Channel.CONFIRM, Channel.PROMOTE, Channel.STOP, Channel.INLINE, Channel.SWITCH})
_MOST = Page(100)


def held(reader: Reader, service: str, environment: str) -> tuple[HeldWorkload, ...]:
    """Return the workloads of a service in an environment that were last told to wait, by our own record."""
    gates = reader.list_acts(Gate, _MOST, scopes=(Scope((service,), (environment,)),)).items
    found = (_held(reader, gate) for gate in gates if gate.delete_time is None)
    return tuple(one for one in found if one is not None)


def _held(reader: Reader, gate: Gate) -> HeldWorkload | None:
    answers = [
        one
        for one in reader.list_acts(GateAnswer, _MOST, key=gate.gate_id).items
        if CHANNELS[one.hook] in _WAITING
    ]
    newest = max(answers, key=lambda one: one.change_time, default=None)
    if newest is None or newest.answer != Answer.SHUT or not newest.digests:
        return None
    group, kind = _KINDS[Controller(gate.controller)]
    return HeldWorkload(group, kind, gate.namespace, gate.object_name, frozenset(newest.digests))
