"""A passport is taken along and checked elsewhere: it holds, and nothing of it is changed or backdated unnoticed."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio

from release_passport.bundle.form import SEAL_TYPE, BundleInvalid, encoded, parse_bundle, seal_payload, sealed
from release_passport.bundle.verify import Report, verify_bundle
from release_passport.log.checkpoint import open_checkpoint
from release_passport.log.note import VerifierKey
from release_passport.signatures.key_set import PublishedKey, SeenCheckpoint, parse_key_set
from release_passport.v1 import release_service_pb2 as releases
from release_passport_server.adapters.signing.key_folder import KeyFolder
from release_passport_server.adapters.signing.sealer import DSSESealer
from release_passport_server.adapters.tlog.anchor_file import AnchorFile
from release_passport_server.bootstrap import bundle_replayer
from release_passport_server.domain.signing_key import Purpose
from support.calls import Caller
from support.cli_process import Shell
from support.server import RealServer, real_server
from support.server_process import ROOT
from support.story import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEMA = json.loads((ROOT / "proto/schema/passport-bundle-v1.schema.json").read_text(encoding="utf-8"))


@dataclass
class Taken:
    """A server with a release, and what was taken of it."""

    server: RealServer
    folder: Path
    release: str
    raw: bytes
    keys: tuple[PublishedKey, ...]

    @property
    def document(self) -> dict[str, Any]:
        return parse_bundle(self.raw)

    @property
    def key_folder(self) -> KeyFolder:
        return KeyFolder.open(self.folder / "keys", datetime.now(UTC))

    def sealed_again(self, document: dict[str, Any]) -> bytes:
        """Return a document with a seal that is right: only what is proved otherwise can find what was changed."""
        document = {name: value for name, value in document.items() if name != "seal"}
        envelope = DSSESealer(self.key_folder).seal(SEAL_TYPE, seal_payload(document), datetime.now(UTC))
        return sealed(document, envelope)

    def faults(self, document: dict[str, Any]) -> str:
        """Return what is said of a changed document with a right seal."""
        try:
            return "\n".join(verify_bundle(self.sealed_again(document), self.keys).faults)
        except BundleInvalid as error:
            return str(error)


async def exported(server: RealServer, release: str) -> bytes:
    assert server.process.application.log is not None
    await server.process.application.log.sweep()
    request = releases.ExportPassportRequest(name=release)
    answer = await Caller(server, server.token)("ExportPassport", request)
    return bytes(answer.bundle)


def published(server: RealServer) -> tuple[PublishedKey, ...]:
    assert server.process.application.audit is not None
    return parse_key_set(json.dumps(server.process.application.audit.key_set()).encode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def taken(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Taken]:
    folder = tmp_path_factory.mktemp("export")
    async with real_server(folder, worker={"enabled": False}) as server:
        story = Story(server)
        await story.begin()
        await story.decided("1.0.0", 3)
        allowed = await story.decided("1.0.0", 0)
        await story.start(allowed)
        await story.evaluate("1.0.0")
        raw = await exported(server, allowed.release)
        yield Taken(server, folder, allowed.release, raw, published(server))


def verified(taken: Taken) -> Report:
    return verify_bundle(taken.raw, taken.keys)


async def test_a_passport_holds_everything_and_is_sound(taken: Taken) -> None:
    report = verified(taken)
    assert (report.faults, report.notes) == ((), ())
    document = report.document
    assert len(document["decisions"]) == len(report.statements) == 3
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)
    assert "PRIVATE" not in taken.raw.decode()
    assert taken.server.token not in taken.raw.decode()


async def test_each_verdict_follows_from_what_is_inside(taken: Taken) -> None:
    report = verified(taken)
    assert set(bundle_replayer()(report.document, report.statements).values()) == {"SAME"}
    document = json.loads(encoded(report.document))
    name = document["decisions"][0]["name"]
    statement = json.loads(json.dumps(report.statements[name]))
    statement["predicate"]["verdict"] = "BLOCK"
    found = bundle_replayer()(document, {**report.statements, name: statement})
    assert found[name] == "TAMPERED"


async def test_a_flipped_byte_anywhere_is_found(taken: Taken) -> None:
    chance = random.Random(11)
    places = {*chance.sample(range(len(taken.raw)), 300), 0, len(taken.raw) - 1}
    # Every byte of the seal, which covers all others.
    places |= set(range(taken.raw.index(b'"seal"'), taken.raw.index(b'"truncated"')))
    missed = []
    for place in sorted(places):
        changed = bytearray(taken.raw)
        changed[place] ^= 1 << chance.randrange(7)
        try:
            if not verify_bundle(bytes(changed), taken.keys).faults:
                missed.append((place, bytes(changed[place - 20 : place + 20])))
        except BundleInvalid:
            continue
    assert missed == []


Change = Callable[[dict[str, Any]], object]


def newest(name: str, change: Callable[[dict[str, Any]], str]) -> Change:
    """Change one part of the newest decision."""
    return lambda d: d["decisions"][0].update({name: change(d)})


def entry(name: str, change: Callable[[dict[str, Any]], str]) -> Change:
    """Change one part of the newest decision's entry in the log."""
    return lambda d: d["decisions"][0]["entry"].update({name: change(d)})


def facts(d: dict[str, Any]) -> None:
    name, text = next(iter(d["facts"].items()))
    d["facts"][name] = text + " "


UNSIGNED = '{"payloadType":"x","payload":"eA==","signatures":[]}'
CHANGES: dict[str, tuple[Change, str]] = {
    "the facts": (facts, "others than their digest"),
    "a policy": (lambda d: d["policies"][0].update(spec="{}"), "another than its digest"),
    "a policy that is gone": (lambda d: d["policies"].clear(), "that it was decided by is not there"),
    "a case": (
        newest("case", lambda d: str(d["decisions"][0]["case"]).replace("false", "true", 1)),
        "its case is another",
    ),
    "an envelope of another decision": (
        newest("envelope", lambda d: d["decisions"][1]["envelope"]),
        "about something else",
    ),
    "an envelope without signature": (newest("envelope", lambda _: UNSIGNED), "the payload is of the type"),
    "a body": (newest("body", lambda _: "AAAA"), "about something else"),
    "a name": (newest("name", lambda d: d["decisions"][0]["name"][:-1] + "!"), "about something else"),
    "an entry": (entry("body", lambda d: d["decisions"][1]["entry"]["body"]), "does not lead to the root"),
    "a proof": (entry("proof", lambda d: d["decisions"][1]["entry"]["proof"]), "does not lead to the root"),
    "a decision that is left out": (lambda d: d["decisions"].pop(1), "is not the one that is there"),
    "the last decision, left out": (lambda d: d["decisions"].pop(), "is not the one that is there"),
    "the release": (
        lambda d: d["release"].update(identity=d["release"]["identity"].replace("aaaa", "bbbb")),
        "consists of something else",
    ),
    "the checkpoint": (
        lambda d: d["log"].update(checkpoint=d["log"]["checkpoint"].replace("\n", "0\n", 2)),
        "does not fit the text",
    ),
    "the origin": (lambda d: d["log"].update(origin="another/log"), "no known key"),
    "a part": (lambda d: d.pop("log"), "is missing"),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_what_was_changed_is_found_even_under_a_right_seal(taken: Taken, name: str) -> None:
    change, said = CHANGES[name]
    document = taken.document
    assert taken.faults(document) == ""
    change(document)
    assert said in taken.faults(document)


async def test_keys_inside_the_passport_are_never_trusted(taken: Taken, tmp_path: Path) -> None:
    stranger = KeyFolder.open(tmp_path / "keys", datetime.now(UTC))
    foreign = [replace(one, key=own.key) for one, own in zip(taken.keys, _keys(stranger), strict=True)]
    with pytest.raises(BundleInvalid, match="none of the keys that are trusted"):
        verify_bundle(taken.raw, foreign)


def _keys(folder: KeyFolder) -> tuple[PublishedKey, ...]:
    from release_passport_server.domain.signing_key import key_set_document

    return parse_key_set(json.dumps(key_set_document("https://x.invalid", folder.public_keys())).encode())


def _as(taken: Taken, purpose: str, **changes: Any) -> list[PublishedKey]:
    return [replace(one, **changes) if one.purpose == purpose else one for one in taken.keys]


async def test_a_compromised_key_seals_and_signs_nothing(taken: Taken) -> None:
    stolen = _as(taken, "DECISION", state="COMPROMISED", compromise_time=datetime.now(UTC))
    with pytest.raises(BundleInvalid, match="COMPROMISED"):
        verify_bundle(taken.raw, stolen)
    with pytest.raises(BundleInvalid, match="no known key"):
        verify_bundle(taken.raw, _as(taken, "LOG", state="COMPROMISED"))


async def test_a_retired_key_needs_a_checkpoint_from_before_its_end(taken: Taken) -> None:
    end = datetime.now(UTC)
    retired = _as(taken, "DECISION", state="RETIRED", not_after=end)
    faults = verify_bundle(taken.raw, retired).faults
    assert len(faults) == 3
    assert all("RETIRED_WITHOUT_LOG" in one for one in faults)
    log = taken.document["log"]
    keys = [VerifierKey(log["origin"], one.key.raw) for one in taken.keys if one.purpose == "LOG"]
    checkpoint = open_checkpoint(log["checkpoint"], log["origin"], keys)
    kept = [SeenCheckpoint(checkpoint, end - timedelta(seconds=1))]
    assert verify_bundle(taken.raw, retired, held=kept).faults == ()
    assert verify_bundle(taken.raw, retired, held=[replace(kept[0], time=end)]).faults != ()


async def test_after_a_rotation_what_was_anchored_before_still_holds_and_backdated_decisions_do_not(
    tmp_path: Path,
) -> None:
    async with real_server(tmp_path, worker={"enabled": False}) as server:
        story = Story(server)
        await story.begin()
        old = await story.decided("1.0.0", 0)
        await exported(server, old.release)
        folder = KeyFolder.open(tmp_path / "keys", datetime.now(UTC))
        late = await story.decided("2.0.0", 0)
        AnchorFile(tmp_path / "anchor").keep()
        folder.rotate(Purpose.DECISION, datetime.now(UTC))
        new = await story.decided("3.0.0", 0)
        found = {one.release: await exported(server, one.release) for one in (old, late, new)}
        keys = published(server)
    assert verify_bundle(found[old.release], keys).faults == ()
    assert verify_bundle(found[new.release], keys).faults == ()
    # It says that it was signed before the key's end, and nobody saw it then.
    [fault] = verify_bundle(found[late.release], keys).faults
    assert "RETIRED_WITHOUT_LOG" in fault


async def test_from_the_command_line_a_passport_is_taken_along_and_verified(
    taken: Taken, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, f"127.0.0.1:{taken.server.process.grpc_port}", taken.server.token)
    await asyncio.to_thread(shell, "export", "checkout/prod/1.0.0", "-o", "passport.json")
    assert taken.server.process.application.audit is not None
    document = taken.server.process.application.audit.key_set()
    (tmp_path / "keys.json").write_text(json.dumps(document), encoding="utf-8")
    alone = replace(shell, server="", token="")
    words = ("verify", "passport.json", "--key-set", "keys.json", "--require-replay")
    done = await asyncio.to_thread(alone, *words, "-o", "json")
    said = json.loads(done.stdout)
    assert (said["sound"], said["faults"], said["notes"], said["decisions"]) == (True, [], [], 3)
    raw = bytearray((tmp_path / "passport.json").read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "passport.json").write_bytes(bytes(raw))
    changed = await asyncio.to_thread(alone, *words, expect=1)
    assert "changed" in changed.stderr
    await asyncio.to_thread(alone, "verify", "nothing.json", "--key-set", "keys.json", expect=2)


async def test_a_passport_of_development_mode_passes_with_dev_alone(tmp_path: Path) -> None:
    async with real_server(tmp_path, dev=True, worker={"enabled": False}) as server:
        story = Story(server)
        await story.begin()
        raw = await exported(server, (await story.decided("1.0.0", 0)).release)
        keys = published(server)
    [fault] = verify_bundle(raw, keys).faults
    assert "development mode" in fault
    report = verify_bundle(raw, keys, dev=True)
    assert report.faults == ()
    assert report.document["log"]["origin"] == "dev/default"
