"""Holds what the log says of decisions and permits against what the server has of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from release_passport.cli.session import Session
from release_passport.errors import PassportAPIError
from release_passport.log.audit import AuditRow, Fault, FaultCode
from release_passport.v1 import decision_service_pb2


class Records:
    """Passes rows on, and remembers the first whose record the server has not, or has otherwise."""

    def __init__(self, session: Session, rows: Iterable[AuditRow], *, decisions: bool) -> None:
        self._session = session
        self._rows = rows
        self._decisions = decisions
        self._permits: dict[str, int] = {}
        # The first decision whose evidence is gone, and whether the log says that anything was purged.
        self._gone: Fault | None = None
        self._purged = False
        self.fault: Fault | None = None

    def __iter__(self) -> Iterator[AuditRow]:
        for row in self._rows:
            if self.fault is None and row.body is not None:
                said = _read(row.body)
                self._purged = self._purged or str(said.get("action")).startswith("Purge")
                self.fault = self._wrong(row.index, said)
            yield row
        if self._gone is not None and not self._purged:
            self.fault = min(self._gone, self.fault or self._gone, key=lambda one: one.index)

    def _wrong(self, index: int, said: dict[str, Any]) -> Fault | None:
        detail = said.get("detail")
        if not isinstance(detail, dict):
            return None
        if said.get("action") == "RedeemPermit" and isinstance(permit := detail.get("permit"), str):
            before = self._permits.setdefault(permit, index)
            if before != index:
                text = f"the permit {permit} was redeemed at leaf {before} and again at leaf {index}"
                return Fault(index, FaultCode.PERMIT_USED_TWICE, text)
        if self._decisions and isinstance(envelope := detail.get("envelopeDigest"), str):
            return self._decision(index, str(said.get("subject")), envelope)
        return None

    def _decision(self, index: int, name: str, envelope: str) -> Fault | None:
        """Return how a decision differs from its entry; it is decided again from its record."""
        client = self._session.client
        try:
            kept = client.get_decision(decision_service_pb2.GetDecisionRequest(name=name)).envelope
            again = client.explain_decision(decision_service_pb2.ExplainDecisionRequest(name=name)).replay
        except PassportAPIError as error:
            if error.code == "NOT_FOUND":
                return Fault(index, FaultCode.RECORD_MISSING, f"{name} is not there any more")
            if error.code == "INTERNAL":
                return Fault(index, FaultCode.RECORD_ALTERED, f"{name} cannot be read any more")
            raise
        if f"sha256:{hashlib.sha256(kept).hexdigest()}" != envelope:
            return Fault(index, FaultCode.RECORD_ALTERED, f"{name} has another envelope than was logged")
        if again == decision_service_pb2.REPLAY_RESULT_TAMPERED:
            text = f"{name} does not follow from its record: it, its case or its evidence was changed"
            return Fault(index, FaultCode.RECORD_ALTERED, text)
        if again == decision_service_pb2.REPLAY_RESULT_BODY_PURGED and self._gone is None:
            text = f"evidence that {name} rests on is not there any more, and no purge is in the log"
            self._gone = Fault(index, FaultCode.RECORD_MISSING, text)
        return None


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
