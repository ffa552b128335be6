"""`/metrics` for Prometheus."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from release_passport_server.transport.metrics import Metrics


def metrics_route(metrics: Metrics) -> Route:
    """Return the route of the exposition."""

    async def endpoint(_: Request) -> Response:
        return Response(await metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return Route("/metrics", endpoint)
