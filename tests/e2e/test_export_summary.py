"""The verification summaries of an exported passport are checked as its decisions are."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from release_passport.bundle.form import SEAL_TYPE, digest, parse_bundle, seal_payload, sealed
from release_passport.bundle.summary import summary_faults
from release_passport.bundle.verify import verify_bundle
from release_passport.signatures.key_set import Evidence, PublishedKey, parse_key_set
from release_passport.v1 import release_service_pb2 as releases
from release_passport_server.adapters.signing.key_folder import KeyFolder
from release_passport_server.adapters.signing.sealer import DSSESealer
from release_passport_server.domain.statement import PAYLOAD_TYPE
from support.calls import Caller
from support.server import real_server
from support.story import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Taken:
    """Two passports, each with a summary, and what it takes to seal one again."""

    first: dict[str, Any]
    second: dict[str, Any]
    keys: tuple[PublishedKey, ...]
    folder: KeyFolder

    def faults(self, document: dict[str, Any]) -> tuple[str, ...]:
        """Return what is said of a document under a right seal."""
        document = {name: value for name, value in document.items() if name != "seal"}
        seal = DSSESealer(self.folder).seal(SEAL_TYPE, seal_payload(document), datetime.now(UTC))
        return verify_bundle(sealed(document, seal), self.keys).faults

    def changed(self, summary: str) -> tuple[str, ...]:
        """Return what is said of the first passport with another summary."""
        document = json.loads(json.dumps(self.first))
        document["decisions"][0]["summary"] = summary
        return self.faults(document)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def taken(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Taken]:
    folder = tmp_path_factory.mktemp("summaries")
    signing = {"key_folder": str(folder / "keys"), "verification_summaries": True}
    async with real_server(folder, worker={"enabled": False}, signing=signing) as server:
        story = Story(server)
        await story.begin()
        names = [(await story.decided(version, 0)).release for version in ("1.0.0", "2.0.0")]
        application = server.process.application
        assert application.log is not None
        assert application.audit is not None
        await application.log.sweep()
        keys = parse_key_set(json.dumps(application.audit.key_set()).encode())
        found = [
            await Caller(server, server.token)("ExportPassport", releases.ExportPassportRequest(name=name))
            for name in names
        ]
        first, second = (parse_bundle(bytes(one.bundle)) for one in found)
        yield Taken(first, second, keys, KeyFolder.open(folder / "keys", datetime.now(UTC)))


def own(document: dict[str, Any]) -> str:
    """Return the summary of the newest decision."""
    return str(document["decisions"][0]["summary"])


def statement_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the decision's own statement."""
    payload: dict[str, Any] = json.loads(
        base64.b64decode(json.loads(document["decisions"][0]["envelope"])["payload"])
    )
    return payload


async def test_a_summary_that_is_right_is_no_fault(taken: Taken) -> None:
    assert own(taken.first)
    assert taken.faults(taken.first) == ()


async def test_a_summary_that_was_changed_or_left_out_is_found(taken: Taken) -> None:
    for summary in ("", own(taken.second), own(taken.first).replace('"sig":"', '"sig":"AA')):
        [fault] = taken.changed(summary)
        assert "left out" in fault if not summary else "another than the one in the audit log" in fault


async def test_each_thing_that_a_summary_says_is_compared(taken: Taken) -> None:
    decision = statement_of(taken.first)
    right = json.loads(base64.b64decode(json.loads(own(taken.first))["payload"]))

    def said(change: Callable[[dict[str, Any]], object], purpose: DSSESealer | None = None) -> str:
        statement = json.loads(json.dumps(right))
        change(statement)
        sealer = purpose or DSSESealer(taken.folder)
        envelope = sealer.seal(PAYLOAD_TYPE, json.dumps(statement).encode(), datetime.now(UTC))
        return "\n".join(faults_of(taken, envelope, decision))

    assert said(lambda _: None) == ""
    assert "another type" in said(lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"))
    assert "another decision" in said(
        lambda s: s["predicate"].update({"https://release-passport.dev/vsa/decision": "x"})
    )
    later = datetime.now(UTC).isoformat()
    assert "another decision" in said(lambda s: s["predicate"].update(timeVerified=later))
    assert "clean ALLOW" in said(lambda s: s["predicate"].update(verificationResult="FAILED"))
    assert "other artifacts" in said(lambda s: s.update(subject=[]))
    assert "not complete" in said(lambda s: s.pop("predicate"))
    decision["predicate"]["verdict"] = "ALLOW_WITH_CANARY"
    assert "clean ALLOW" in said(lambda _: None)


async def test_a_summary_of_another_key_is_refused(taken: Taken, tmp_path: Path) -> None:
    stranger = DSSESealer(KeyFolder.open(tmp_path / "keys", datetime.now(UTC)))
    payload = base64.b64decode(json.loads(own(taken.first))["payload"])
    envelope = stranger.seal(PAYLOAD_TYPE, payload, datetime.now(UTC))
    [fault] = faults_of(taken, envelope, statement_of(taken.first))
    assert "none of the keys that are trusted" in fault


async def test_a_summary_that_the_log_does_not_name_counts_for_nothing_once_its_key_is_retired(
    taken: Taken,
) -> None:
    end = datetime.now(UTC)
    keys = [replace(one, state="RETIRED", not_after=end) for one in taken.keys]
    found = faults_of(taken, own(taken.first).encode(), statement_of(taken.first), keys)
    assert ["RETIRED_WITHOUT_LOG" in one for one in found] == [True]


def faults_of(
    taken: Taken, envelope: bytes, decision: dict[str, Any], keys: list[PublishedKey] | None = None
) -> list[str]:
    """Return what is said of a summary that the log does not name."""
    given = json.loads(json.dumps(taken.first["decisions"][0]))
    entry = json.loads(given["entry"]["body"])
    assert entry["detail"].pop("summaryDigest") == digest(given["summary"].encode())
    given |= {"summary": envelope.decode()}
    given["entry"]["body"] = json.dumps(entry)
    evidence = Evidence(datetime.fromisoformat(decision["predicate"]["decideTime"]), 0)
    return list(summary_faults(given, decision, keys or taken.keys, evidence))
