"""Facts of SLSA provenance, versions 0.2 and 1 (slsa.dev/spec)."""

from __future__ import annotations

import re
from datetime import datetime

from release_passport.v1 import evidence_pb2
from release_passport_server.wire.intoto.reading import at, fill, objects_at, text_at, time_at
from release_passport_server.wire.intoto.strict_json import JSON

_MAX_MATERIALS = 200
_MAX_MATERIAL_BYTES = 32 * 1024
_COMMIT = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA256 = re.compile("[0-9a-f]{64}")


def provenance_v02(predicate: JSON) -> tuple[evidence_pb2.Provenance, datetime | None]:
    """Return the facts of a version 0.2 predicate, and when the build was done."""
    facts = evidence_pb2.Provenance()
    uri, ref = _split_source(text_at(predicate, "invocation", "configSource", "uri"))
    digest = at(predicate, "invocation", "configSource", "digest")
    finish_time = time_at(predicate, "metadata", "buildFinishedOn")
    environment = at(predicate, "invocation", "environment")
    fill(
        facts,
        builder_id=text_at(predicate, "builder", "id"),
        build_type=text_at(predicate, "buildType"),
        source_uri=uri,
        source_ref=ref,
        source_revision=_commit(digest),
        build_trigger=text_at(environment, "github_event_name"),
        source_repository_id=text_at(environment, "github_repository_id"),
        source_owner_id=text_at(environment, "github_repository_owner_id"),
        workflow_ref=_joined(text_at(predicate, "invocation", "configSource", "entryPoint"), ref),
        invocation_id=text_at(predicate, "metadata", "buildInvocationId"),
        start_time=time_at(predicate, "metadata", "buildStartedOn"),
        finish_time=finish_time,
    )
    whole = at(predicate, "metadata", "completeness", "materials") is True
    _add_materials(facts, objects_at(predicate, "materials"), whole=whole)
    return facts, finish_time


def provenance_v1(predicate: JSON) -> tuple[evidence_pb2.Provenance, datetime | None]:
    """Return the facts of a version 1 predicate, and when the build was done."""
    facts = evidence_pb2.Provenance()
    definition, details = at(predicate, "buildDefinition"), at(predicate, "runDetails")
    github = at(definition, "internalParameters", "github")
    dependencies = objects_at(definition, "resolvedDependencies")
    finish_time = time_at(details, "metadata", "finishedOn")
    uri, ref = _source_v1(definition)
    fill(
        facts,
        builder_id=text_at(details, "builder", "id"),
        build_type=text_at(definition, "buildType"),
        source_uri=uri,
        source_ref=ref,
        source_revision=_revision_v1(definition, dependencies or [], uri, ref),
        build_trigger=text_at(github, "event_name"),
        runner_environment=text_at(github, "runner_environment"),
        source_repository_id=text_at(github, "repository_id"),
        source_owner_id=text_at(github, "repository_owner_id"),
        workflow_ref=_joined(text_at(definition, "externalParameters", "workflow", "path"), ref),
        invocation_id=text_at(details, "metadata", "invocationId"),
        start_time=time_at(details, "metadata", "startedOn"),
        finish_time=finish_time,
    )
    # Version 1 has no word for "these are all": the list stays unfinished.
    _add_materials(facts, dependencies, whole=False)
    return facts, finish_time


def _source_v1(definition: JSON) -> tuple[str | None, str | None]:
    """Return repository and ref, where the build type puts them: a workflow, a source, or repository and ref."""
    parameters = at(definition, "externalParameters")
    workflow = at(parameters, "workflow")
    if isinstance(workflow, dict):
        return _split_source(text_at(workflow, "repository"))[0], text_at(workflow, "ref")
    source = at(parameters, "source")
    if source is not None:
        return _split_source(text_at(source, "uri") or text_at(parameters, "source"))
    return _split_source(text_at(parameters, "repository"))[0], text_at(parameters, "ref")


def _revision_v1(
    definition: JSON, dependencies: list[dict[str, JSON]], uri: str | None, ref: str | None
) -> str | None:
    """Return the commit of the source; None where the statement does not say one and only one."""
    stated = _commit(at(definition, "externalParameters", "source", "digest"))
    found = {stated} if stated is not None else set()
    for dependency in dependencies:
        other_uri, other_ref = _split_source(text_at(dependency, "uri"))
        commit = _commit(at(dependency, "digest"))
        if uri is not None and other_uri == uri and other_ref in (None, ref) and commit is not None:
            found.add(commit)
    return found.pop() if len(found) == 1 else None


def _split_source(text: str | None) -> tuple[str | None, str | None]:
    """Return repository and ref of a URI such as git+https://github.com/acme/app@refs/tags/v1 (SPDX downloads)."""
    if text is None:
        return None, None
    uri = text.removeprefix("git+")
    # An `@` before the path belongs to a user's name.
    scheme, separator, rest = uri.rpartition("://")
    host, slash, path = rest.partition("/")
    path, _, ref = path.partition("@")
    repository = f"{scheme}{separator}{host}{slash}{path}".removesuffix("/").removesuffix(".git")
    return repository or None, ref or None


def _commit(digest: JSON) -> str | None:
    """Return the commit of a digest set, in whichever of its names it stands."""
    for name in ("gitCommit", "sha1"):
        text = text_at(digest, name)
        if text is not None:
            return text if _COMMIT.fullmatch(text) else None
    return None


def _joined(path: str | None, ref: str | None) -> str | None:
    return None if path is None else f"{path}@{ref}" if ref is not None else path


def _add_materials(
    facts: evidence_pb2.Provenance, materials: list[dict[str, JSON]] | None, *, whole: bool
) -> None:
    """Add the materials, all or none; only a list that was kept whole can say that it is complete."""
    if materials is None or len(materials) > _MAX_MATERIALS:
        return
    read = [_material(material) for material in materials]
    if sum(material.ByteSize() for material in read) > _MAX_MATERIAL_BYTES:
        return
    facts.materials.extend(read)
    if whole:
        facts.complete = True


def _material(material: dict[str, JSON]) -> evidence_pb2.Material:
    message = evidence_pb2.Material()
    sha256, commit = text_at(material, "digest", "sha256"), _commit(at(material, "digest"))
    digest = None
    if sha256 is not None and _SHA256.fullmatch(sha256):
        digest = f"sha256:{sha256}"
    elif commit is not None:
        digest = f"gitCommit:{commit}"
    fill(message, uri=text_at(material, "uri"), digest=digest)
    return message
