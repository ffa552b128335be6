"""Where controllers ask: Flagger takes the status code for the verdict, Argo Rollouts the body.

Flagger goes on at 200, 201, 202 and at whatever a redirect leads to, and keeps the text of a 403 alone; Argo Rollouts
aborts what is under way once it has seen a few answers other than 2xx. So these endpoints answer 200 or 403 the one,
and nothing but 200 the other, whatever happens here.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from release_passport_server.domain.errors import PassportError, Unauthenticated
from release_passport_server.domain.gate import FLAGGER_HOOKS, Controller, Gate
from release_passport_server.domain.gate_table import ARGO_VERDICT, FLAGGER_SAMPLE, FLAGGER_STATUS, Answer
from release_passport_server.ports.clock import Clock
from release_passport_server.services.admit_gate import AdmitGate
from release_passport_server.services.answer_gate import AnswerGate, Asked, Reply
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.grpc.methods import CallClass

logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
# Flagger's Prometheus provider waits five seconds, the others ten.
ANSWER_SECONDS = 4.0
# Whoever has no gate's credential may ask so often.
STRANGERS_PER_MINUTE = 20
MAX_STRANGERS = 10_000
_MINUTE = 60.0
# The question by which Flagger finds out whether its provider answers.
PROBE = "vector(1)"


@dataclass(slots=True)
class Strangers:
    """Counts the calls without a good credential by address and gate, so that they use up nobody else's room."""

    _calls: OrderedDict[tuple[str, str], tuple[float, int]] = field(default_factory=OrderedDict)
    # Credentials that were good, by gate: whoever shows one is no stranger.
    _known: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    def welcome(self, gate: str, credential: str) -> None:
        """Remember a credential that was good."""
        self._known[_fingerprint(gate, credential)] = None
        while len(self._known) > MAX_STRANGERS:
            self._known.popitem(last=False)

    def refused(self, address: str, gate: str) -> None:
        """Count one call that was refused."""
        now = asyncio.get_running_loop().time()
        since, count = self._calls.get((address, gate), (now, 0))
        if now - since > _MINUTE:
            since, count = now, 0
        self._calls[address, gate] = (since, count + 1)
        self._calls.move_to_end((address, gate))
        while len(self._calls) > MAX_STRANGERS:
            self._calls.popitem(last=False)

    def too_many(self, address: str, gate: str, credential: str) -> bool:
        """Say whether the address has had its share of the gate, and shows nothing that was good before."""
        since, count = self._calls.get((address, gate), (0.0, 0))
        if count < STRANGERS_PER_MINUTE or asyncio.get_running_loop().time() - since > _MINUTE:
            return False
        return _fingerprint(gate, credential) not in self._known


@dataclass(slots=True)
class GateEdge:
    """Takes the calls of controllers."""

    admit: AdmitGate
    answer: AnswerGate
    clock: Clock
    limits: Limits
    strangers: Strangers = field(default_factory=Strangers)

    def routes(self) -> list[Route]:
        """Return one route for each hook of Flagger, its queries, and the metric of Argo Rollouts."""
        flagger = [
            Route(f"/v1/flagger/{{gate}}/{hook}", self._flagger(hook), methods=["POST"])
            for hook in FLAGGER_HOOKS
            if hook != "prometheus"
        ]
        return [
            *flagger,
            Route("/v1/flagger/{gate}/prometheus/api/v1/query", self._query, methods=["GET"]),
            Route("/v1/argo-rollouts/{gate}/verdict", self._argo, methods=["GET", "POST"]),
        ]

    def _flagger(self, hook: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            reply = await self._reply(request, Controller.FLAGGER, lambda: _flagger_question(request, hook))
            return PlainTextResponse(_in_words(reply), status_code=FLAGGER_STATUS[reply.answer])

        return endpoint

    async def _query(self, request: Request) -> Response:
        if request.query_params.get("query", "").replace(" ", "") == PROBE:
            return await self._probe(request)

        async def asked() -> Asked:
            return Asked("prometheus")

        reply = await self._reply(request, Controller.FLAGGER, asked)
        # Nothing decided is no sample: not the zero that means a stop.
        return self._vector(FLAGGER_SAMPLE[reply.answer] if reply.decision else None)

    async def _probe(self, request: Request) -> Response:
        try:
            await self._admitted(request, Controller.FLAGGER)
        except Exception as error:
            known = isinstance(error, PassportError)
            if not known:
                logger.exception("a gate was not found")
            return PlainTextResponse("refused\n", status_code=403)
        return self._vector("1")

    def _vector(self, sample: str | None) -> Response:
        now = self.clock.now().timestamp()
        result = [] if sample is None else [{"metric": {}, "value": [now, sample]}]
        return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": result}})

    async def _argo(self, request: Request) -> Response:
        reply = await self._reply(request, Controller.ARGO_ROLLOUTS, lambda: _argo_question(request))
        return JSONResponse(argo_body(reply))

    async def _reply(
        self, request: Request, controller: Controller, asked: Callable[[], Awaitable[Asked]]
    ) -> Reply:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                tenant, gate = await self._admitted(request, controller)
                question = await asked()
                with self.limits.admit(CallClass.DECIDE, gate.principal):
                    return await self.answer(tenant, gate, question)
        except TimeoutError:
            return Reply(Answer.SHUT, ("DEADLINE_EXCEEDED",))
        except PassportError as error:
            return Reply(Answer.SHUT, (error.reason,))
        except Exception:
            logger.exception("a controller was not answered")
            return Reply(Answer.SHUT, ("INTERNAL",))

    async def _admitted(self, request: Request, controller: Controller) -> tuple[str, Gate]:
        address = request.client.host if request.client is not None else ""
        gate, credential = (
            request.path_params["gate"],
            credential_of(request.headers.getlist("authorization")),
        )
        if self.strangers.too_many(address, gate, credential):
            raise Unauthenticated("CREDENTIAL_INVALID", "too many calls without a gate's credential")
        try:
            admitted = await self.admit(gate, controller, credential)
        except Unauthenticated:
            self.strangers.refused(address, gate)
            raise
        self.strangers.welcome(gate, credential)
        return admitted


def credential_of(headers: list[str]) -> str:
    """Return the password of Basic or the token of Bearer; empty where there is none that can be read."""
    if len(headers) != 1:
        return ""
    scheme, _, rest = headers[0].partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def argo_body(reply: Reply) -> dict[str, Any]:
    """Return what the metric's conditions read, and the AnalysisRun keeps in its status."""
    verdict = reply.effective_verdict
    return {
        "verdict": ARGO_VERDICT[reply.answer],
        "effectiveVerdict": "" if verdict is None else verdict.name,
        "decision": reply.decision,
        "digests": list(reply.digests),
        "reasons": list(reply.reasons),
    }


async def _flagger_question(request: Request, hook: str) -> Asked:
    body = await _object(request)
    return Asked(hook, _text(body, "namespace"), _text(body, "name"))


async def _argo_question(request: Request) -> Asked:
    hook = request.query_params.get("hook", "inline")
    if request.method != "POST":
        return Asked(hook)
    body = await _object(request)
    return Asked(hook, _text(body, "namespace"), _text(body, "rollout"))


async def _object(request: Request) -> dict[str, Any]:
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY:
                raise PassportError("INVALID_FIELDS", "the body is too large")
    except ClientDisconnect:
        raise PassportError("INVALID_FIELDS", "the body was cut short") from None
    try:
        found = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        raise PassportError("INVALID_FIELDS", "the body is not JSON") from None
    if not isinstance(found, dict):
        raise PassportError("INVALID_FIELDS", "the body is not a JSON object")
    return found


def _text(body: dict[str, Any], name: str) -> str:
    found = body.get(name, "")
    if not isinstance(found, str):
        raise PassportError("INVALID_FIELDS", f"{name} is not a text")
    return found


def _in_words(reply: Reply) -> str:
    if reply.answer is Answer.OPEN:
        return "go on\n"
    said = "roll back" if reply.answer is Answer.STOP else "wait"
    lines = [f"{said}: {', '.join(reply.reasons) or 'no reason'}"]
    if reply.decision:
        lines.append(f"passport decision explain {reply.decision}")
    return "\n".join(lines) + "\n"


def _fingerprint(gate: str, credential: str) -> bytes:
    return hashlib.sha256(f"{gate}\n{credential}".encode("utf-8", "surrogatepass")).digest()
