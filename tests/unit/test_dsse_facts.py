"""The facts that statements yield: SLSA provenance and summaries, SPDX and CycloneDX."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from release_passport_server.adapters.dsse import DSSEVerifier
from release_passport_server.domain.attestation import AttestationResult
from release_passport_server.domain.evidence import Verification
from support.data import sample
from support.dsse import p256_signer, provenance, sign, statement

DIGEST = "sha256:" + "1f" * 32
SIGNER = p256_signer()
VSA = "https://slsa.dev/verification_summary/v1"


def derive(payload: bytes, digest: str = DIGEST) -> AttestationResult:
    return DSSEVerifier().verify(sign(SIGNER, payload), digest, [SIGNER.pem])


def facts_of(predicate: dict[str, Any], predicate_type: str) -> dict[str, Any]:
    return as_dict(derive(statement(DIGEST, predicate, predicate_type=predicate_type)))


def as_dict(result: AttestationResult) -> dict[str, Any]:
    assert result.state is Verification.VERIFIED, result.reason
    assert isinstance(result.facts, Message)
    facts: dict[str, Any] = json_format.MessageToDict(result.facts, preserving_proto_field_name=True)
    return facts


def test_slsa_1_yields_builder_source_and_times() -> None:
    result = derive(statement(DIGEST, provenance()))
    assert result.statement_time == datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
    assert as_dict(result) == {
        "builder_id": "https://github.com/actions/runner/github-hosted",
        "build_type": "https://actions.github.io/buildtypes/workflow/v1",
        "source_uri": "https://github.com/acme/checkout",
        "source_ref": "refs/heads/main",
        "source_revision": "a" * 40,
        "build_trigger": "push",
        "runner_environment": "github-hosted",
        "workflow_ref": ".github/workflows/release.yml@refs/heads/main",
        "invocation_id": "https://github.com/acme/checkout/actions/runs/1/attempts/1",
        "materials": [
            {
                "uri": "git+https://github.com/acme/checkout@refs/heads/main",
                "digest": "gitCommit:" + "a" * 40,
            }
        ],
        "start_time": "2026-11-22T12:00:00Z",
        "finish_time": "2026-11-22T12:05:00Z",
    }


def test_slsa_0_2_yields_the_same_facts() -> None:
    predicate = {
        "builder": {"id": "https://builder.example/v1"},
        "buildType": "https://builder.example/type",
        "invocation": {
            "configSource": {
                "uri": "git+https://github.com/acme/checkout.git@refs/tags/v1.2.3",
                "digest": {"sha1": "b" * 40},
                "entryPoint": "release.yml",
            },
            "environment": {"github_event_name": "push", "github_repository_id": "12"},
        },
        "metadata": {
            "buildInvocationId": "run-7",
            "buildStartedOn": "2026-11-22T13:00:00+01:00",
            "buildFinishedOn": "2026-11-22T12:30:00.123456789Z",
            "completeness": {"materials": True},
        },
        "materials": [{"uri": "pkg:docker/base", "digest": {"sha256": "c" * 64}}],
    }
    assert facts_of(predicate, "https://slsa.dev/provenance/v0.2") == {
        "builder_id": "https://builder.example/v1",
        "build_type": "https://builder.example/type",
        "source_uri": "https://github.com/acme/checkout",
        "source_ref": "refs/tags/v1.2.3",
        "source_revision": "b" * 40,
        "build_trigger": "push",
        "source_repository_id": "12",
        "workflow_ref": "release.yml@refs/tags/v1.2.3",
        "invocation_id": "run-7",
        "start_time": "2026-11-22T12:00:00Z",
        "finish_time": "2026-11-22T12:30:00.123456Z",
        "materials": [{"uri": "pkg:docker/base", "digest": "sha256:" + "c" * 64}],
        "complete": True,
    }


def test_a_level_is_never_taken_from_the_statement() -> None:
    predicate = {**provenance(), "slsa_level": 3, "slsaLevel": 3}
    assert "slsa_level" not in facts_of(predicate, "https://slsa.dev/provenance/v1")


@pytest.mark.parametrize(
    "dependencies",
    [
        [],
        [{"uri": "git+https://github.com/evil/checkout@refs/heads/main", "digest": {"gitCommit": "e" * 40}}],
        [{"uri": "git+https://github.com/acme/checkout@refs/heads/other", "digest": {"gitCommit": "e" * 40}}],
        [{"uri": "git+https://github.com/acme/checkout@refs/heads/main", "digest": {"gitCommit": "short"}}],
        [
            {
                "uri": "git+https://github.com/acme/checkout@refs/heads/main",
                "digest": {"gitCommit": "a" * 40},
            },
            {"uri": "git+https://github.com/acme/checkout", "digest": {"sha1": "e" * 40}},
        ],
    ],
)
def test_a_revision_that_is_not_one_and_of_the_source_is_unknown(dependencies: list[object]) -> None:
    predicate: dict[str, Any] = json.loads(json.dumps(provenance()))
    predicate["buildDefinition"]["resolvedDependencies"] = dependencies
    facts = facts_of(predicate, "https://slsa.dev/provenance/v1")
    assert "source_revision" not in facts
    assert facts["source_uri"] == "https://github.com/acme/checkout"


def test_what_has_the_wrong_type_is_unknown_and_not_a_default() -> None:
    predicate: dict[str, Any] = json.loads(json.dumps(provenance()))
    predicate["buildDefinition"]["externalParameters"] = ["workflow"]
    predicate["buildDefinition"]["internalParameters"] = {"github": {"event_name": 5}}
    predicate["runDetails"]["metadata"] = {"startedOn": "yesterday", "finishedOn": "2026-02-30T00:00:00Z"}
    result = derive(statement(DIGEST, predicate))
    assert result.statement_time is None
    assert set(as_dict(result)) == {"builder_id", "build_type", "materials"}


def test_too_many_materials_are_left_out_and_not_called_complete() -> None:
    predicate = {
        "builder": {"id": "b"},
        "metadata": {"completeness": {"materials": True}},
        "materials": [{"uri": f"pkg:npm/{number}"} for number in range(5000)],
    }
    assert facts_of(predicate, "https://slsa.dev/provenance/v0.2") == {"builder_id": "b"}


def test_a_verification_summary_yields_result_and_levels() -> None:
    predicate = {
        "verifier": {"id": "https://verifier.example"},
        "timeVerified": "2026-11-22T22:00:00Z",
        "resourceUri": "pkg:oci/app",
        "policy": {"uri": "https://verifier.example/policy", "digest": {"sha256": "b" * 64}},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
        "slsaVersion": "1.1",
    }
    assert facts_of(predicate, VSA) == {
        "verifier_id": "https://verifier.example",
        "verification_result": "VERIFICATION_RESULT_PASSED",
        "resource_uri": "pkg:oci/app",
        "verified_levels": ["SLSA_BUILD_LEVEL_3"],
        "complete": True,
        "policy_uri": "https://verifier.example/policy",
        "policy_digest": "sha256:" + "b" * 64,
        "slsa_version": "1.1",
        "verify_time": "2026-11-22T22:00:00Z",
    }


@pytest.mark.parametrize("result", ["passed", "PASSED ", "", 1, None])
def test_an_unknown_verification_result_is_no_result(result: object) -> None:
    facts = facts_of({"verifier": {"id": "v"}, "verificationResult": result}, VSA)
    assert facts == {"verifier_id": "v"}


@pytest.mark.parametrize("predicate_type", ["https://spdx.dev/Document", "https://spdx.dev/Document/v2.3"])
def test_an_spdx_document_yields_its_counts(predicate_type: str) -> None:
    predicate = {
        "spdxVersion": "SPDX-2.3",
        "creationInfo": {
            "created": "2026-11-22T10:00:00Z",
            "creators": ["Organization: acme", "Tool: syft-1.0"],
        },
        "packages": [
            {
                "name": "a",
                "versionInfo": "1",
                "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:npm/a@1"}],
                "licenseConcluded": "MIT",
            },
            {"name": "b", "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0"},
            {"name": "c", "licenseDeclared": "NONE"},
        ],
    }
    assert facts_of(predicate, predicate_type) == {
        "format": "spdx-2.3",
        "generator": "syft-1.0",
        "create_time": "2026-11-22T10:00:00Z",
        "component_count": "3",
        "unidentified_count": "2",
        "unlicensed_count": "1",
        "licenses": ["Apache-2.0", "MIT"],
        "complete": True,
    }


@pytest.mark.parametrize(
    "tools",
    [
        [{"name": "trivy", "version": "0.50"}],
        {"components": [{"name": "trivy", "version": "0.50"}]},
    ],
)
def test_a_cyclonedx_bom_yields_its_counts_with_nested_components(tools: object) -> None:
    predicate = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"timestamp": "2026-11-22T10:00:00Z", "tools": tools},
        "components": [
            {
                "name": "a",
                "version": "1",
                "purl": "pkg:npm/a@1",
                "licenses": [{"license": {"id": "MIT"}}],
                "components": [{"name": "b", "licenses": [{"expression": "MIT OR Apache-2.0"}]}],
            },
            {"name": "c", "version": "2"},
        ],
    }
    assert facts_of(predicate, "https://cyclonedx.org/bom") == {
        "format": "cyclonedx-1.6",
        "generator": "trivy 0.50",
        "create_time": "2026-11-22T10:00:00Z",
        "component_count": "3",
        "unidentified_count": "2",
        "unlicensed_count": "1",
        "licenses": ["MIT", "MIT OR Apache-2.0"],
        "complete": True,
    }


def test_an_sbom_without_a_list_of_components_has_no_count() -> None:
    assert facts_of({"specVersion": "1.6"}, "https://cyclonedx.org/bom") == {"format": "cyclonedx-1.6"}
    assert facts_of({"spdxVersion": "SPDX-2.3", "packages": "many"}, "https://spdx.dev/Document") == {
        "format": "spdx-2.3"
    }


def _real(name: str) -> tuple[dict[str, Any], str]:
    """Return what a real builder stated, signed anew with a key of ours."""
    outer = json.loads(sample(f"provenance/bundles/{name}.json").read_text())
    payload = base64.b64decode(outer["dsseEnvelope"]["payload"])
    digest = "sha256:" + json.loads(payload)["subject"][0]["digest"]["sha256"]
    return as_dict(derive(payload, digest)), digest


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "real-slsa-generator-generic-v2.1.0",
            {
                "builder_id": (
                    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/"
                    "generator_generic_slsa3.yml@refs/tags/v2.1.0"
                ),
                "source_uri": "https://github.com/slsa-framework/example-package",
                "source_ref": "refs/tags/v14",
                "source_revision": "4d329c75e7ec1725f7c9ce917a8799d408d06be3",
                "build_trigger": "push",
            },
        ),
        (
            "real-github-attestation-slsa-v1",
            {
                "builder_id": (
                    "https://github.com/bazel-contrib/publish-to-bcr/.github/workflows/"
                    "publish.yaml@refs/tags/v0.0.1"
                ),
                "source_uri": "https://github.com/aspect-build/rules_lint",
                "source_ref": "refs/heads/publish-to-bcr",
                "source_revision": "8f70009fde0c94ade6ce2a054b94718c819126ec",
                "build_trigger": "workflow_dispatch",
                "runner_environment": "github-hosted",
                "source_repository_id": "631710741",
            },
        ),
    ],
)
def test_what_real_builders_state_is_read(name: str, expected: dict[str, str]) -> None:
    facts, _ = _real(name)
    assert {field: facts.get(field) for field in expected} == expected
