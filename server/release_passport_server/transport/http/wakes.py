"""Where other systems say by a webhook that something changed: the connector that reads them is read, at once.

What they send is neither kept nor believed, so that nobody has to be trusted with more than a token that may read.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from release_passport.v1 import connector_service_pb2 as pb
from release_passport_server.transport.grpc.dispatcher import Dispatcher, request_id_of
from release_passport_server.transport.grpc.errors import Failure, status_of
from release_passport_server.transport.grpc.methods import Method
from release_passport_server.transport.http.json_rpc import called, error_response

PATH = "/v1/ingest/{tenant}/{connector}"
NAME = "WakeConnector"


def wake_routes(dispatcher: Dispatcher, methods: tuple[Method, ...]) -> list[Route]:
    """Return the route of webhooks."""
    return [_route(dispatcher, method) for method in methods if method.path.endswith(f"/{NAME}")]


def _route(dispatcher: Dispatcher, method: Method) -> Route:
    async def endpoint(request: Request) -> Response:
        request_id = request_id_of(request.headers.get("x-request-id"))

        async def wanted() -> pb.WakeConnectorRequest:
            given = request.path_params
            return pb.WakeConnectorRequest(name=f"tenants/{given['tenant']}/connectors/{given['connector']}")

        try:
            await dispatcher.unary(called(request, method, request_id), wanted)
        except Failure as failure:
            return error_response(failure.status, request_id)
        except Exception as error:  # noqa: BLE001 - no text of ours reaches the caller
            return error_response(status_of(error, request_id), request_id)
        return Response(status_code=202, headers={"x-request-id": request_id})

    return Route(PATH, endpoint, methods=["POST"])
