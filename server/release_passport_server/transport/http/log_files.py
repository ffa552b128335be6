"""The transparency logs as files (c2sp.org/tlog-tiles), and the public keys for everybody."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.errors import NotFound, PassportError
from release_passport_server.services.audit import Audit
from release_passport_server.transport.grpc.dispatcher import Dispatcher, request_id_of
from release_passport_server.transport.grpc.errors import status_of
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.grpc.methods import CallClass
from release_passport_server.transport.http.json_rpc import error_response
from release_passport_server.transport.http.patience import CERTIFICATE
from release_passport_server.wire.audit import is_log_path

logger = logging.getLogger(__name__)
Act = Callable[[Request, Principal], Awaitable[Response]]


def log_routes(audit: Audit, dispatcher: Dispatcher, limits: Limits) -> list[Route]:
    """Return `/log/{tenant}/…` for those who may audit, and `/.well-known/…` for everybody."""

    async def checkpoint(_: Request, principal: Principal) -> Response:
        note = (await audit.standing(principal)).note
        return Response(note.encode(), media_type="text/plain; charset=utf-8")

    async def tile(request: Request, principal: Principal) -> Response:
        path = f"tile/{request.path_params['path']}"
        found = await audit.files(principal, [path]) if is_log_path(path) else {}
        if path not in found:
            raise NotFound("NOT_FOUND", "the log has no such file")
        return Response(found[path], media_type="application/octet-stream")

    async def keys(_: Request) -> Response:
        return JSONResponse(audit.key_set())

    def authorised(act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            request_id = request_id_of(request.headers.get("x-request-id"))
            try:
                with limits.admit(CallClass.READ):
                    shown = request.headers.getlist("authorization")
                    principal = await dispatcher.authenticate(shown, request.scope.get(CERTIFICATE, b""))
                    same_tenant(principal, request.path_params["tenant"])
                    return await act(request, principal)
            except Exception as error:
                if not isinstance(error, PassportError):
                    logger.exception("a file of the log was not served", extra={"request_id": request_id})
                return error_response(status_of(error, request_id), request_id)

        return endpoint

    return [
        Route("/log/{tenant}/checkpoint", authorised(checkpoint)),
        Route("/log/{tenant}/tile/{path:path}", authorised(tile)),
        Route("/.well-known/release-passport-keys.json", keys),
    ]
