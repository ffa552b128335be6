"""A whole session of the command line against a server process, with the policies of the library, on both stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from release_passport.v1 import access_pb2, access_service_pb2, catalog_pb2, catalog_service_pb2
from support.calls import METHODS
from support.cli_process import Shell
from support.server import bearer
from support.server_process import ROOT, passport_server, served

LIBRARY = ROOT / "policies" / "library"
POLICIES = ("manifest-render", "canary-for-risky-changes", "watch-degrading-signals")
IMAGE = "registry.example/app@sha256:" + "a" * 64
PLAIN, RISKY = "plain/prod/1.0.0", "risky/prod/1.0.0"
RISKY_ONLY = "  match:\n    service_labels:\n      risk: high\n"
ALLOW, HOLD, BLOCK, ROLLBACK, CANARY = 0, 11, 12, 13, 14


@dataclass(frozen=True)
class Session:
    """Those who use the command line, at a server with a catalogue and policies."""

    admin: Shell
    ci: Shell
    connector: Shell
    viewer: Shell


def identity(release: str, manifests: str) -> tuple[str, ...]:
    """Return the words that describe a release which the gate does not know yet."""
    service, environment, version = release.split("/")
    place = ("--service", service, "--environment", environment, "--version", version)
    return (*place, "--artifact", IMAGE, "--source-revision", "4f6c2a90", "--manifest-digest", manifests)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with opened(tmp_path_factory.mktemp("sqlite")) as made:
        yield made


@pytest.fixture(scope="module")
def postgres_session(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Session]:
    url = postgres_url.replace("+psycopg", "")
    with opened(tmp_path_factory.mktemp("postgres"), PASSPORT_SERVER_STORE_URL=url) as made:
        yield made


@contextmanager
def opened(folder: Path, **variables: str) -> Iterator[Session]:
    """Serve a new store that knows two services, one environment and three policies."""
    made = passport_server(folder, "init", **variables)
    assert made.returncode == 0, made.stderr
    secret = next(word for word in made.stdout.split() if word.startswith("rp1_"))
    with served(folder, **variables) as server:
        admin = Shell(folder, server.where["grpc"], secret)
        for policy in POLICIES:
            text = (LIBRARY / f"{policy}.yaml").read_text(encoding="utf-8")
            # A window to watch makes every release a canary: only the risky service is watched here.
            narrowed = text.replace("  mode: ENFORCE\n  rules:", f"  mode: ENFORCE\n{RISKY_ONLY}  rules:")
            watched = policy == "watch-degrading-signals"
            (folder / f"{policy}.yaml").write_text(narrowed if watched else text, encoding="utf-8")
        admin("policy", "apply", *(f"{policy}.yaml" for policy in POLICIES), "--quiet")
        tokens = registered(admin)
        ci, connector, viewer = (replace(admin, token=token) for token in tokens)
        yield Session(admin, ci, connector, viewer)


def registered(admin: Shell) -> list[str]:
    """Register services and an environment; return tokens of the pipeline, a connector and a viewer."""
    with grpc.insecure_channel(admin.server) as channel:

        def call(name: str, request: Message) -> Any:
            method = METHODS[name]
            to: Any = channel.unary_unary(method.path, None, method.response.FromString)
            return to(request.SerializeToString(), metadata=bearer(admin.token))

        for service, labels in (("plain", {}), ("risky", {"risk": "high"})):
            given = catalog_pb2.Service(service_id=service, labels=labels)
            call("CreateService", catalog_service_pb2.CreateServiceRequest(service=given))
        place = catalog_pb2.Environment(environment_id="prod")
        call("CreateEnvironment", catalog_service_pb2.CreateEnvironmentRequest(environment=place))
        people = (("sa:ci", "ci"), ("connector:prod", "connector"), ("user:vic", "viewer"))
        requests = (
            access_service_pb2.CreateAPITokenRequest(
                api_token=access_pb2.APIToken(principal=who),
                role_bindings=[access_pb2.RoleBinding(role=role)],
            )
            for who, role in people
        )
        return [call("CreateAPIToken", request).secret for request in requests]


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def item(subject: dict[str, object], **facts: object) -> dict[str, object]:
    return {"subject": subject, "facts": facts, "observe_time": datetime.now(UTC).isoformat()}


def render(manifests: str, unpinned: int = 0) -> dict[str, object]:
    facts = {"tool": "helm", "object_count": 3, "unpinned_images": unpinned}
    return item({"manifest_digest": manifests}, manifest_render=facts)


def canary(attempt: str, error_rate: float) -> dict[str, object]:
    sample = {"name": "error_rate", "value": error_rate, "samples": 600}
    return item({"attempt": attempt}, metric_sample=sample)


def decided(shell: Shell, *words: str, expect: int) -> dict[str, object]:
    """Ask at the gate; return the decision that it printed."""
    answer = shell("gate", *words, "-o", "json", expect=expect)
    shown = json.loads(answer.stdout)
    decision: dict[str, object] = shown.get("decision", shown)
    return decision


def from_hold_to_rollback(session: Session) -> None:
    """Walk one risky release through the exit codes of the gate."""
    held = session.ci("gate", *identity(RISKY, digest("b")), expect=HOLD).stdout
    assert held.startswith("HOLD")
    assert "EVIDENCE_MISSING" in held
    session.ci.submit(render(digest("b")))
    status = {
        "object": "eu-1/shop/Rollout/app",
        "phase": "ROLLOUT_PHASE_SUCCEEDED",
        "step_count": 5,
        "aborted": False,
    }
    session.connector.submit(
        item({"workload": {"service": "risky", "environment": "prod"}}, rollout_status=status)
    )
    allowed = decided(session.ci, "--release", RISKY, expect=CANARY)
    decided(session.ci, "--release", RISKY, "--accept-canary", expect=ALLOW)
    started = session.ci("release", "start", RISKY, "--decision", str(allowed["name"]), "-o", "json")
    attempt = json.loads(started.stdout)["name"]
    session.connector.submit(*(canary(attempt, rate) for rate in (0.08, 0.09, 0.1)))
    rolled = session.ci("gate", "--release", RISKY, "--accept-canary", expect=ROLLBACK).stdout
    assert rolled.startswith("ROLLBACK RECOMMENDED")
    shown = session.viewer("show", RISKY).stdout
    assert "ROLLBACK_RECOMMENDED" in shown
    replayed = session.viewer("decision", "replay", str(allowed["name"])).stdout
    assert "SAME" in replayed


def one_question_one_answer(session: Session) -> None:
    """Ask with request ids: the same question has the same answer, and a later BLOCK is not hidden by it."""
    session.ci.submit(render(digest("c")))
    question = (*identity(PLAIN, digest("c")), "--request-id", "build-7")
    first = decided(session.ci, *question, expect=ALLOW)
    again = decided(session.ci, *question, expect=ALLOW)
    assert first["name"] == again["name"]
    session.ci.submit(render(digest("c"), unpinned=2))
    blocked = decided(session.ci, "--release", PLAIN, "--request-id", "build-8", expect=BLOCK)
    assert blocked["name"] != first["name"]
    session.ci("gate", *question, expect=HOLD)
    again = decided(session.ci, "--release", PLAIN, "--request-id", "build-8", expect=BLOCK)
    assert again["name"] == blocked["name"]


def test_a_release_goes_from_hold_to_rollback_on_the_embedded_store(session: Session) -> None:
    from_hold_to_rollback(session)


def test_one_question_has_one_answer_on_the_embedded_store(session: Session) -> None:
    one_question_one_answer(session)


def test_a_release_goes_from_hold_to_rollback_on_postgresql(postgres_session: Session) -> None:
    from_hold_to_rollback(postgres_session)


def test_one_question_has_one_answer_on_postgresql(postgres_session: Session) -> None:
    one_question_one_answer(postgres_session)


def test_no_error_is_a_verdict(session: Session) -> None:
    gate = ("gate", "--release", "plain/prod/9.9.9", "--exit-zero")
    stranger = replace(session.ci, token="rp1_" + "0" * 26 + "_" + "A" * 43)
    for shell, words, code in (
        (stranger, gate, 4),
        (session.viewer, gate, 4),
        (replace(session.ci, server="127.0.0.1:1"), gate, 5),
        (session.ci, gate, 1),
        (session.ci, ("gate", "--release", "Plain/prod/1.0.0", "--exit-zero"), 2),
        (session.ci, ("gate", "--release", "plain/prod/1.0.0", "--stage", "later"), 2),
    ):
        done = shell(*words, expect=code)
        assert (done.stdout, bool(done.stderr)) == ("", True), words


def test_bad_input_of_the_server_is_2_and_names_the_field(session: Session) -> None:
    late = render(digest("d")) | {"observe_time": "2999-01-01T00:00:00Z"}
    path = session.ci.folder / "late.json"
    path.write_text(json.dumps([late]), encoding="utf-8")
    done = session.ci("evidence", "submit", "-f", str(path), expect=2)
    assert "observe_time" in done.stderr
    assert done.stdout == ""
