"""What services need of the store for what people record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from release_passport_server.domain.access import Scope
from release_passport_server.domain.acts import Exemption, Freeze, Group, Override, Vote, Waiver
from release_passport_server.domain.connector import Connector, ConnectorHealth
from release_passport_server.domain.gate import Gate, GateAnswer
from release_passport_server.domain.notices import Channel
from release_passport_server.domain.policy_change import PolicyChange
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.watch_window import Acknowledgement

Act = (
    Vote
    | Waiver
    | Override
    | Exemption
    | Freeze
    | Group
    | PolicyChange
    | Gate
    | GateAnswer
    | Channel
    | Acknowledgement
    | Connector
    | ConnectorHealth
)
T = TypeVar(
    "T",
    Vote,
    Waiver,
    Override,
    Exemption,
    Freeze,
    Group,
    PolicyChange,
    Gate,
    GateAnswer,
    Channel,
    Acknowledgement,
    Connector,
    ConnectorHealth,
)


class ActReader(Protocol):
    """Reads what people recorded."""

    def find_act(self, kind: type[T], act_id: str) -> T | None:
        """Return one act of a type by the last part of its name."""
        ...

    def list_acts(
        self, kind: type[T], page: Page, *, key: str = "", scopes: Sequence[Scope] | None = None
    ) -> Listed[T]:
        """Return acts of a type, newest first.

        `key` narrows to those about one release (by its name), or of overrides and waivers for more than one
        release to those about one `service/environment`, and of changes of policies to those of one policy.
        `scopes` narrows to those about places inside them; it is for acts that are about a release or a place.
        """
        ...


class ActWriter(Protocol):
    """Records what people do."""

    def put_act(self, act: Act) -> None:
        """Insert an act, or replace it when it has ended."""
        ...

    def delete_group(self, group_id: str) -> None:
        """Delete a group."""
        ...

    def put_connector_health(self, health: ConnectorHealth) -> None:
        """Say how the readings of a connector went; it takes no revision, and the feed does not tell it."""
        ...
