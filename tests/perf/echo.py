"""The reference: a bare grpc.aio server that reads an EvaluateRequest and returns a given EvaluateResponse.

Run: `python tests/perf/echo.py ANSWER`; ANSWER is a file with a serialised response. Prints the port.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "clients" / "python")]

import grpc  # noqa: E402
from grpc import aio  # noqa: E402

from release_passport.v1 import decision_service_pb2  # noqa: E402


async def main(answer_bytes: bytes) -> None:
    """Serve until killed."""
    response = decision_service_pb2.EvaluateResponse.FromString(answer_bytes)

    async def answer(
        request: decision_service_pb2.EvaluateRequest, context: object
    ) -> decision_service_pb2.EvaluateResponse:
        if not request.release:
            raise ValueError("the request names no release")
        return response

    server = aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=decision_service_pb2.EvaluateRequest.FromString,
        response_serializer=decision_service_pb2.EvaluateResponse.SerializeToString,
    )
    service = grpc.method_handlers_generic_handler(
        "release_passport.v1.DecisionService", {"Evaluate": handler}
    )
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes()))
