"""A real Kubernetes API server takes the manifests of deploy/ as they are, and no field that it does not know."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.real_controllers import ARGO_CD_DEFINITIONS, ARGO_DEFINITIONS, DEPLOY
from support.real_kubernetes import Manifest, RealCluster, documents, real_cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANIFESTS = [
    pytest.param(one, id=f"{path.parent.name}/{path.name}:{one['kind']}/{one['metadata']['name']}")
    for path in sorted(DEPLOY.glob("*/*.yaml"))
    for one in documents(path)
]

DEFINITIONS = ["flagger", *ARGO_DEFINITIONS, *ARGO_CD_DEFINITIONS]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealCluster]:
    async with real_cluster(tmp_path_factory.mktemp("manifests"), DEFINITIONS) as running:
        for name in ("argocd", "argo-rollouts", "release-passport"):
            await running.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield running


@pytest.mark.parametrize("manifest", MANIFESTS)
async def test_a_manifest_is_taken(cluster: RealCluster, manifest: Manifest) -> None:
    await cluster.apply(manifest, dry_run=True)


async def test_a_field_that_there_is_not_is_refused(cluster: RealCluster) -> None:
    (canary,) = documents(DEPLOY / "flagger" / "canary.yaml")
    canary["spec"]["analysis"]["stepWieght"] = 10
    with pytest.raises(AssertionError, match="stepWieght"):
        await cluster.apply(canary, dry_run=True)
