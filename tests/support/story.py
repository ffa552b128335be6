"""One service in one environment with one enforced policy, told through the real server's RPCs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from release_passport.policy_file import load_policy_file
from release_passport.v1 import (
    access_pb2,
    access_service_pb2,
    catalog_pb2,
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    policy_service_pb2,
    release_pb2,
    release_service_pb2,
)
from support.server import RealServer, bearer

LIBRARY = Path(__file__).resolve().parents[2] / "policies" / "library"
IMAGE = "sha256:" + "a" * 64


def item(fact: dict[str, object], **subject: object) -> evidence_pb2.EvidenceInput:
    """Return evidence of this moment."""
    given = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(**subject),  # type: ignore[arg-type]
        facts=evidence_pb2.EvidenceFacts(**fact),  # type: ignore[arg-type]
    )
    given.observe_time.FromDatetime(datetime.now(UTC))
    return given


@dataclass(slots=True)
class Story:
    """Calls the server as its admin, or with another token."""

    server: RealServer
    token: str = ""

    async def call(self, service: str, method: str, request: object) -> Any:
        """Return the answer of one RPC."""
        metadata = bearer(self.token or self.server.token)
        return await getattr(self.server.stub(service), method)(request, metadata=metadata)

    async def begin(self) -> None:
        """Register the service and the environment, and enforce one policy of the library."""
        service = catalog_pb2.Service(service_id="checkout")
        environment = catalog_pb2.Environment(environment_id="prod")
        requests = catalog_service_pb2
        await self.call("CatalogService", "CreateService", requests.CreateServiceRequest(service=service))
        await self.call(
            "CatalogService", "CreateEnvironment", requests.CreateEnvironmentRequest(environment=environment)
        )
        policy = load_policy_file(LIBRARY / "manifest-render.yaml")
        # The admin of the tests stands for the pipeline.
        policy.spec.rules[0].needs[0].sources[:] = ["user:*"]
        await self.call(
            "PolicyService", "CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=policy)
        )

    async def somebody(self, principal: str, *roles: str) -> Story:
        """Return the story as told by somebody else."""
        request = access_service_pb2.CreateAPITokenRequest(
            api_token=access_pb2.APIToken(principal=principal),
            role_bindings=[access_pb2.RoleBinding(role=role) for role in roles],
        )
        answer = await self.call("AccessService", "CreateAPIToken", request)
        return Story(self.server, answer.secret)

    async def evaluate(self, version: str, unpinned: int | None = None, **more: Any) -> Any:
        """Return the answer to a question about a version; `unpinned` images are sent along as evidence."""
        request = decision_service_pb2.EvaluateRequest(identity=identity(version), **more)
        if unpinned is not None:
            request.evidence.append(rendered(version, unpinned))
        return await self.call("DecisionService", "Evaluate", request)

    async def decided(self, version: str, unpinned: int | None = 0) -> decision_pb2.Decision:
        """Return the decision about a version."""
        answer: decision_service_pb2.EvaluateResponse = await self.evaluate(version, unpinned)
        return answer.decision

    async def start(self, decision: decision_pb2.Decision) -> release_pb2.Attempt:
        """Return the attempt that was opened on a decision."""
        request = release_service_pb2.StartRolloutRequest(release=decision.release, decision=decision.name)
        answer: release_service_pb2.StartRolloutResponse = await self.call(
            "ReleaseService", "StartRollout", request
        )
        return answer.attempt

    async def finish(self, attempt: str, outcome: str) -> release_pb2.Attempt:
        """Return the attempt that was ended."""
        value = release_pb2.AttemptOutcome.Value(f"ATTEMPT_OUTCOME_{outcome}")
        request = release_service_pb2.FinishRolloutRequest(attempt=attempt, outcome=value)  # type: ignore[arg-type]
        answer: release_service_pb2.FinishRolloutResponse = await self.call(
            "ReleaseService", "FinishRollout", request
        )
        return answer.attempt


def manifests(version: str) -> str:
    """Return the digest of a version's manifests."""
    return "sha256:" + version.replace(".", "").ljust(64, "b")


def identity(version: str) -> release_pb2.ReleaseIdentity:
    """Return a version of the service."""
    return release_pb2.ReleaseIdentity(
        service="checkout",
        environment="prod",
        version=version,
        artifacts=[release_pb2.Artifact(name="checkout", digest=IMAGE)],
        manifest_digest=manifests(version),
    )


def rendered(version: str, unpinned: int) -> evidence_pb2.EvidenceInput:
    """Return what the rule of the policy asks for."""
    render = evidence_pb2.ManifestRender(object_count=3, unpinned_images=unpinned)
    return item({"manifest_render": render}, manifest_digest=manifests(version))
