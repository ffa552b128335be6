"""Exported passports: made of what was gathered, and read back to be replayed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from google.protobuf.message import Message

from release_passport.bundle.form import BUNDLE, Document
from release_passport.v1 import evidence_pb2, policy_pb2
from release_passport_server.domain.canonical import canonical, stamp
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import DecisionRecord, LoggedEntry
from release_passport_server.domain.release import Artifact, Attempt, Latch, Release, ReleaseIdentity
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.ports.log import ContinuedAnchor
from release_passport_server.wire.json_mapping import json_mapping
from release_passport_server.wire.release import latch_to_proto, release_to_proto

_UNSET = datetime.min.replace(tzinfo=UTC)


def base(
    release: Release, attempts: Sequence[Attempt], latches: Sequence[Latch], keys: Mapping[str, object]
) -> Document:
    """Return the parts that say what it is about."""
    digest = release.identity.digest
    return {
        "type": BUNDLE,
        "release": {
            "name": release.name,
            "identity": canonical(release.identity.judged).decode(),
            "shown": MessageToDict(release_to_proto(release, attempts)),
            "latches": [MessageToDict(latch_to_proto(latch, digest)) for latch in latches],
        },
        "publicKeys": dict(keys),
    }


def decision(record: DecisionRecord, entry: LoggedEntry, proof: str) -> Document:
    """Return one decision with its envelopes, and what the log has of it."""
    return {
        "name": record.name,
        "body": _text(record.body),
        "case": record.case_body.decode(),
        "envelope": record.envelope.decode(),
        "summary": record.summary.decode(),
        "entry": {
            "leafIndex": entry.leaf_index,
            "body": None if entry.body is None else entry.body.decode(),
            "salt": None if entry.salt is None else _text(entry.salt),
            "proof": proof,
        },
    }


def facts(bodies: Mapping[str, bytes]) -> dict[str, str]:
    """Return facts by their digest, in the form that it is over."""
    return {
        digest: canonical(json_mapping(evidence_pb2.EvidenceFacts.FromString(body))).decode()
        for digest, body in bodies.items()
    }


def policy(document: PolicyDocument) -> Document:
    """Return one revision of a policy, its spec in the form that its digest is over."""
    assert isinstance(document.spec, Message)
    return {
        "policy": document.policy_id,
        "revision": document.revision,
        "digest": document.digest,
        "spec": canonical(MessageToDict(document.spec)).decode(),
    }


def log(origin: str, note: str, anchors: Sequence[ContinuedAnchor]) -> Document:
    """Return the checkpoint that the proofs lead to, and those that were anchored before."""
    return {
        "origin": origin,
        "checkpoint": note,
        "anchors": [
            {
                "time": stamp(one.anchored.time),
                "checkpoint": one.anchored.note.decode(),
                "hashes": [_text(hash_) for hash_ in one.hashes],
            }
            for one in anchors
        ],
    }


@dataclass(frozen=True, slots=True)
class BundledBodies:
    """What the cases of a verified passport name; raise ValueError for what cannot be read."""

    document: Document

    def find_release(self, service: str, environment: str, version: str) -> Release | None:
        """Return the release, without what its case says of it."""
        given = json.loads(self.document["release"]["identity"])
        identity = ReleaseIdentity(
            service=given["service"],
            environment=given["environment"],
            version=version,
            source_revision=given["sourceRevision"],
            artifacts=tuple(Artifact(*fields) for fields in given["artifacts"]),
            manifest_digest=given["manifestDigest"],
        )
        return Release(self.document["release"]["name"], identity, "", _UNSET, 0)

    def evidence_bodies(self, digests: Sequence[str]) -> Mapping[str, bytes]:
        """Return facts as they were stored."""
        texts = self.document["facts"]
        return {
            one: _parsed(texts[one], evidence_pb2.EvidenceFacts()).SerializeToString()
            for one in digests
            if one in texts
        }

    def policy_revision(self, policy_id: str, revision: int) -> PolicyDocument | None:
        """Return one revision."""
        for one in self.document["policies"]:
            if (one["policy"], one["revision"]) == (policy_id, revision):
                spec = _parsed(one["spec"], policy_pb2.PolicySpec())
                return PolicyDocument(policy_id, revision, one["digest"], spec, "", _UNSET, _UNSET)
        return None


def recorded(given: Document, statement: Mapping[str, Any]) -> DecisionRecord:
    """Return a decision of a passport as the store had it, as far as a replay needs it."""
    predicate = statement["predicate"]
    release = ReleaseName.parse(predicate["release"]["name"])
    return DecisionRecord(
        decision_id=given["name"].rpartition("/")[2],
        name=given["name"],
        release=str(release),
        service=release.service,
        environment=release.environment,
        stage=Stage[predicate["stage"]],
        verdict=Verdict[predicate["verdict"]],
        effective_verdict=Verdict[predicate["effectiveVerdict"]],
        outcome_digest=predicate["outcomeDigest"],
        decide_time=_UNSET,
        valid_until=None,
        next_eligible_time=None,
        considered_revision=int(predicate["consideredRevision"]),
        body=base64.b64decode(given["body"]),
        case_body=given["case"].encode(),
    )


def _parsed(text: str, message: Message) -> Message:
    try:
        return Parse(text, message)
    except ParseError as error:
        raise ValueError("a text is not the JSON form of its message") from error


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
