"""Releases and attempts as messages, and the strict reading of what callers say a release consists of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import cast

from release_passport.v1 import latch_pb2, release_pb2
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.ids import SLUG_RULE, VERSION_RULE, is_slug, is_version
from release_passport_server.domain.release import Artifact, Attempt, Latch, Release, ReleaseIdentity
from release_passport_server.wire.text import text_problem
from release_passport_server.wire.times import timestamp

MAX_AUTHORS = 100
MAX_ARTIFACTS = 64
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_ARTIFACT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+:-]{0,255}")
_ARTIFACT_TYPE = re.compile(r"[a-z][a-z0-9-]{0,31}")


def check_identity(given: release_pb2.ReleaseIdentity, path: str) -> list[Violation]:
    """Return everything that is wrong with an identity."""
    return list(_problems(given, path))


def identity_from_proto(given: release_pb2.ReleaseIdentity) -> ReleaseIdentity:
    """Return a checked identity as the domain has it."""
    return ReleaseIdentity(
        service=given.service,
        environment=given.environment,
        version=given.version,
        source_revision=given.source_revision,
        artifacts=tuple(Artifact(a.name, a.digest, a.type or "image") for a in given.artifacts),
        manifest_digest=given.manifest_digest,
        annotations=dict(given.annotations),
        authors=tuple(dict.fromkeys(given.authors)),
    )


def release_to_proto(release: Release, attempts: Sequence[Attempt] = ()) -> release_pb2.Release:
    """Return the resource that shows a release."""
    identity = release.identity
    return release_pb2.Release(
        name=release.name,
        identity=release_pb2.ReleaseIdentity(
            service=identity.service,
            environment=identity.environment,
            version=identity.version,
            source_revision=identity.source_revision,
            artifacts=[
                release_pb2.Artifact(name=a.name, digest=a.digest, type=a.type) for a in identity.artifacts
            ],
            manifest_digest=identity.manifest_digest,
            annotations=identity.annotations or {},
            authors=identity.authors,
        ),
        release_digest=identity.digest,
        creator=release.creator,
        create_time=timestamp(release.create_time),
        revision=release.revision,
        previous=release.previous,
        is_first=release.is_first,
        is_restore=release.is_restore,
        attempts=[attempt_to_proto(attempt) for attempt in attempts],
    )


def attempt_to_proto(attempt: Attempt) -> release_pb2.Attempt:
    """Return the resource that shows an attempt."""
    message = release_pb2.Attempt(
        name=attempt.name,
        number=attempt.number,
        ground=attempt.ground,
        start_time=timestamp(attempt.start_time),
        starter=attempt.starter,
        reason=attempt.reason,
    )
    if attempt.finish_time is not None:
        message.finish_time.FromDatetime(attempt.finish_time)
        outcome = release_pb2.AttemptOutcome.Value(f"ATTEMPT_OUTCOME_{attempt.outcome}")
        message.outcome = cast("release_pb2.AttemptOutcome", outcome)
    return message


def latch_to_proto(latch: Latch, release_digest: str) -> latch_pb2.Latch:
    """Return the resource that shows a latch."""
    environment = latch.attempt.partition("/releases/")[0]
    return latch_pb2.Latch(
        name=f"{environment}/latches/{latch.name}",
        release_digest=release_digest,
        policy=latch.policy,
        rule=latch.rule,
        decision=latch.decision,
        reason=latch.reason,
        create_time=timestamp(latch.create_time),
        attempt=latch.attempt,
    )


def _problems(given: release_pb2.ReleaseIdentity, path: str) -> Iterator[Violation]:
    for field in ("service", "environment"):
        if not is_slug(getattr(given, field)):
            yield Violation(f"{path}.{field}", f"must be {SLUG_RULE}")
    if not is_version(given.version):
        yield Violation(f"{path}.version", f"must be {VERSION_RULE}")
    if given.source_revision and not _COMMIT.fullmatch(given.source_revision):
        yield Violation(f"{path}.source_revision", "must be 7 to 64 lower-case hexadecimal digits")
    if given.manifest_digest and not _DIGEST.fullmatch(given.manifest_digest):
        yield Violation(f"{path}.manifest_digest", "must be sha256: and 64 lower-case hexadecimal digits")
    if not 1 <= len(given.artifacts) <= MAX_ARTIFACTS:
        yield Violation(f"{path}.artifacts", f"must hold 1 to {MAX_ARTIFACTS} artifacts")
    seen: set[str] = set()
    for index, artifact in enumerate(given.artifacts[:MAX_ARTIFACTS]):
        yield from _artifact_problems(artifact, f"{path}.artifacts[{index}]", seen)
    yield from _text_problems(given, path)


def _text_problems(given: release_pb2.ReleaseIdentity, path: str) -> Iterator[Violation]:
    if len(given.authors) > MAX_AUTHORS:
        yield Violation(f"{path}.authors", f"holds more than {MAX_AUTHORS} entries")
    for index, author in enumerate(given.authors[:MAX_AUTHORS]):
        problem = text_problem(author, max_bytes=256) if author else "must not be empty"
        if problem:
            yield Violation(f"{path}.authors[{index}]", problem)
    if len(given.annotations) > 32:
        yield Violation(f"{path}.annotations", "holds more than 32 entries")
        return
    for key, value in given.annotations.items():
        problem = text_problem(key, max_bytes=128) or text_problem(value, max_bytes=1024)
        if problem:
            yield Violation(f"{path}.annotations", f"{key[:40]!a} {problem}")


def _artifact_problems(artifact: release_pb2.Artifact, path: str, seen: set[str]) -> Iterator[Violation]:
    if not _ARTIFACT_NAME.fullmatch(artifact.name) or "@" in artifact.name:
        yield Violation(
            f"{path}.name", "must be a repository or file name without tag or digest, up to 256 characters"
        )
    if not _DIGEST.fullmatch(artifact.digest):
        text = "DIGEST_REQUIRED: must be sha256: and 64 lower-case hexadecimal digits; a tag can move"
        yield Violation(f"{path}.digest", text)
    if artifact.type and not _ARTIFACT_TYPE.fullmatch(artifact.type):
        yield Violation(f"{path}.type", "must be lower-case letters, digits and hyphens, up to 32")
    for value in (artifact.name, artifact.digest):
        if value in seen:
            yield Violation(path, f"{value[:80]!a} is there twice")
        seen.add(value)
