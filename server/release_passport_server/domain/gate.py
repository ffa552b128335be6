"""Gates: where a controller asks whether it may go on, and what it was answered there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.ids import parts, template
from release_passport_server.domain.verdict import Verdict

_GATENAME = template("tenants/{tenant}/gates/{ulid}")


class Controller(StrEnum):
    """Who asks at a gate."""

    FLAGGER = "FLAGGER"
    ARGO_ROLLOUTS = "ARGO_ROLLOUTS"


class OnRollback(StrEnum):
    """What becomes of a recommended rollback."""

    RECOMMEND = "RECOMMEND"
    EXECUTE = "EXECUTE"


class OnSkip(StrEnum):
    """What becomes of digests that take traffic past the gate."""

    REPORT = "REPORT"
    STOP = "STOP"


class Trust(StrEnum):
    """How a caller shows that it is the gate's controller."""

    CREDENTIAL = "CREDENTIAL"
    NETWORK = "NETWORK"


# The name of each hook as it stands in the path, and of an AnalysisTemplate in the query.
FLAGGER_HOOKS = (
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "post-rollout",
    "rollback",
    "event",
    "prometheus",
)
ARGO_HOOKS = ("inline", "background", "pre-promotion", "post-promotion")
HOOKS = {Controller.FLAGGER: FLAGGER_HOOKS, Controller.ARGO_ROLLOUTS: ARGO_HOOKS}
# Those that a gate has where nobody says: none whose refusal counts as a failed check.
USUAL_HOOKS = {
    Controller.FLAGGER: (
        "confirm-rollout",
        "confirm-traffic-increase",
        "confirm-promotion",
        "post-rollout",
        "rollback",
    ),
    Controller.ARGO_ROLLOUTS: ARGO_HOOKS,
}


@dataclass(frozen=True, slots=True)
class GateName:
    """tenants/{tenant}/gates/{ulid}"""

    tenant: str
    gate_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/gates/{self.gate_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> GateName:
        """Return the parts of a gate's name; raise Invalid."""
        return cls(*parts(_GATENAME, text, field))


@dataclass(frozen=True, slots=True)
class WantedGate:
    """A gate as its maker wants it."""

    title: str
    controller: str
    cluster: str
    namespace: str
    object_name: str
    object_uid: str
    service: str
    environment: str
    hooks: tuple[str, ...]
    on_rollback: str
    trust: str
    injected: tuple[str, ...]
    on_skip: str = OnSkip.REPORT


@dataclass(frozen=True, slots=True)
class Gate:
    """One object of one cluster, whose controller asks about one service in one environment.

    The id cannot be guessed; it stands in the address that the controller calls.
    """

    gate_id: str
    title: str
    controller: str
    cluster: str
    namespace: str
    object_name: str
    # Where it is given, an object that was made anew under the same name is another one.
    object_uid: str
    service: str
    environment: str
    hooks: tuple[str, ...]
    on_rollback: str
    trust: str
    # Containers that something else injects, by name: their images are not the release's.
    injected: tuple[str, ...]
    secret_hash: bytes
    creator: str
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None
    on_skip: str = OnSkip.REPORT

    @property
    def place(self) -> str:
        """Return the object in words that tell clusters apart."""
        kind = "Canary" if self.controller == Controller.FLAGGER else "Rollout"
        return f"{self.cluster}/{self.namespace}/{kind}/{self.object_name}"

    @property
    def principal(self) -> str:
        """Return under which name the gate stands in the record."""
        return f"gate:{self.gate_id}"


@dataclass(frozen=True, slots=True)
class HeldWorkload:
    """A controller's object that was last told to wait at a gate, while it was about to run these digests."""

    group: str
    kind: str
    namespace: str
    name: str
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What a gate was answered last at one hook about one set of digests; written when the answer changes."""

    answer_id: str
    gate_id: str
    hook: str
    digests: tuple[str, ...]
    release: str
    answer: str
    reasons: tuple[str, ...]
    decision: str
    effective_verdict: int
    first_time: datetime
    change_time: datetime

    @property
    def verdict(self) -> Verdict | None:
        """Return the effective verdict, None where nothing was decided."""
        return Verdict(self.effective_verdict) if self.effective_verdict else None
