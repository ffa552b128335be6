"""What a token may do, as the API server itself says it: nothing is tried, and nothing is kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

from release_passport_server.adapters.kubernetes.answers import broken, parsed, unreachable
from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.outbound import OutboundError
from release_passport_server.ports.cluster import ClusterFailure, ClusterUnavailable, ObjectRef
from release_passport_server.ports.http import HTTPRequest, StreamingClient

_VERSION, _KIND = "authorization.k8s.io/v1", "SelfSubjectAccessReview"
_PATH = f"/apis/{_VERSION}/selfsubjectaccessreviews"
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Asks with one credential what it may do around one object."""

    client: StreamingClient
    server: str
    credential: str = field(repr=False)
    wanted: ObjectRef

    async def lacking(self, rights: Iterable[Right]) -> AsyncIterator[Right]:
        """Yield of each right the verbs that the token has not; raise a ClusterError."""
        for right in rights:
            verbs = [one for one in right.verbs if not await self._permits(right, one)]
            if verbs:
                yield replace(right, verbs=tuple(verbs))

    async def _permits(self, right: Right, verb: str) -> bool:
        resource, _, part = right.resource.partition("/")
        attributes = {
            "namespace": right.namespace,
            "verb": verb,
            "group": right.group,
            "resource": resource,
            "subresource": part,
            "name": right.name,
        }
        asked = {"apiVersion": _VERSION, "kind": _KIND, "spec": {"resourceAttributes": attributes}}
        request = HTTPRequest(
            f"{self.server}{_PATH}",
            method="POST",
            headers={"content-type": "application/json"},
            credential=self.credential,
            body=json.dumps(asked).encode(),
            accept=("application/json",),
            seconds=_SECONDS,
            max_redirects=0,
        )
        try:
            answer = await self.client.send(request)
        except OutboundError as error:
            raise unreachable(error, self.wanted) from error
        if answer.status not in {200, 201}:
            text = f"cluster {self.wanted.cluster} does not say what its token may do: {answer.status}"
            raise ClusterUnavailable(ClusterFailure.CLUSTER_UNREACHABLE, text)
        status = parsed(answer.body, self.wanted).get("status")
        if not isinstance(status, dict):
            raise broken(self.wanted, "a review without a result")
        return status.get("allowed") is True
