"""Evidence of what connectors found: their facts by name become messages, under the same limits as submitted ones."""

from __future__ import annotations

from google.protobuf.json_format import ParseDict, ParseError

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.access import Scope
from release_passport_server.domain.connector import CollectFailure, Observation
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.kind import CUSTOM_PREFIX
from release_passport_server.ports.connector import CollectFailed
from release_passport_server.wire.evidence import item_from_input
from release_passport_server.wire.evidence_input import check_evidence_input
from release_passport_server.wire.subject import subject_proto


class ObservedEvidence:
    """Makes items; see the port."""

    def item(self, found: Observation, subject: Subject, source: str, scope: Scope) -> EvidenceItem:
        """Return the item to store."""
        given = evidence_pb2.EvidenceInput(
            subject=subject_proto(subject.type, subject.value), external_id=found.external_id
        )
        given.observe_time.FromDatetime(found.observe_time)
        if found.expire_time is not None:
            given.expire_time.FromDatetime(found.expire_time)
        try:
            ParseDict(_facts(found), given.facts)
        except ParseError as error:
            raise _broken(found.kind, "facts that are not in their form") from error
        problems = check_evidence_input(given, "evidence")
        if problems:
            raise _broken(found.kind, problems[0].field.removeprefix("evidence.") + " as it cannot be")
        return item_from_input(given, name="", source=source, scopes=(scope,), receive_time=None)


def _facts(found: Observation) -> dict[str, object]:
    if found.kind.startswith(CUSTOM_PREFIX):
        name = found.kind.removeprefix(CUSTOM_PREFIX)
        return {"custom": {"kind": name, "facts": dict(found.facts)}}
    return {found.kind: dict(found.facts)}


def _broken(kind: str, what: str) -> CollectFailed:
    return CollectFailed(CollectFailure.ANSWER_BROKEN, f"the source gave {kind} {what}")
