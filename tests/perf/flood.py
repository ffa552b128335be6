"""Calls at a rate that heeds nothing: what a server under five times its load has to stand.

Run by overload.py as a process of its own; reads its orders as JSON on stdin and prints what came back as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("server", "clients/python", "tests")]

from google.rpc import error_details_pb2, status_pb2  # noqa: E402

from perf.http2 import UNAVAILABLE, Connection, Exchange, connect  # noqa: E402
from perf.load import EVALUATE, Target  # noqa: E402

# Stand in the templates where one call has to differ from another: a number, and the nanoseconds of a time.
PLACE = b"deadbeef"
NANOSECONDS = 999_999_937
OVERLOADED = "UNAVAILABLE OVERLOADED"
WINDOW_SECONDS = 0.25
_TICK_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Orders:
    """What one process has to send: at each of the rates for so many seconds, one after the other."""

    port: int
    token: str
    templates: str
    first: int
    start: float
    phases: list[tuple[float, float]]
    connections: int = 4
    timeout_ms: int = 5000


@dataclass(slots=True)
class Window:
    """What was sent in a quarter of a second, and how it ended."""

    sent: int = 0
    # When it was answered counts for `done`, so that it is what the server achieved in this quarter.
    done: int = 0
    late: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    answered: array[float] = field(default_factory=lambda: array("f"))
    refused: array[float] = field(default_factory=lambda: array("f"))


class Flood:
    """Sends calls when they are due, whatever comes back."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._templates = read_templates(Path(orders.templates))
        seconds = sum(seconds for seconds, _ in orders.phases) + 2 * orders.timeout_ms / 1000
        self.windows = [Window() for _ in range(int(seconds / WINDOW_SECONDS) + 8)]
        self._started = 0.0
        self._open = 0

    async def run(self) -> None:
        """Send everything, and wait for what is still on its way."""
        orders = self._orders
        target = Target("127.0.0.1", orders.port, orders.token)
        opened = [await connect(target.host, target.port, target.metadata) for _ in range(orders.connections)]
        await asyncio.sleep(max(0.0, orders.start - time.time()))
        self._started = time.perf_counter()
        number, offset = orders.first, 0.0
        for seconds, rate in orders.phases:
            number = await self._pace(opened, number, offset, seconds, rate)
            offset += seconds
        patience = time.perf_counter() + 2 * orders.timeout_ms / 1000
        while self._open and time.perf_counter() < patience:  # noqa: ASYNC110 - answers set it, from many tasks
            await asyncio.sleep(0.05)
        for connection in opened:
            connection.close()

    async def _pace(
        self, opened: list[Connection], number: int, offset: float, seconds: float, rate: float
    ) -> int:
        begun, total, sent = self._started + offset, int(seconds * rate), 0
        while sent < total:
            due = min(total, int((time.perf_counter() - begun) * rate) + 1)
            for index in range(sent, due):
                self._send(opened[index % len(opened)], number + index, begun + index / rate)
            sent = due
            await asyncio.sleep(_TICK_SECONDS)
        return number + total

    def _send(self, connection: Connection, number: int, intended: float) -> None:
        exchange = Exchange(EVALUATE, numbered(self._templates, number), self._orders.timeout_ms)
        exchange.intended = intended
        connection.send(exchange, self._ended)
        self._open += 1
        window = self._window(intended)
        window.sent += 1
        if time.perf_counter() - intended > WINDOW_SECONDS:
            window.late += 1

    def _ended(self, exchange: Exchange) -> None:
        self._open -= 1
        window = self._window(exchange.intended)
        if exchange.ok:
            window.answered.append(exchange.seconds)
            self._window(exchange.done).done += 1
            window.statuses["OK"] += 1
            return
        window.refused.append(exchange.seconds)
        window.statuses[self._name(exchange)] += 1

    def _window(self, moment: float) -> Window:
        at = int((moment - self._started) / WINDOW_SECONDS)
        return self.windows[min(max(0, at), len(self.windows) - 1)]

    def _name(self, exchange: Exchange) -> str:
        details = exchange.trailers.get(b"grpc-status-details-bin", b"")
        if exchange.status != UNAVAILABLE or not details:
            text = exchange.trailers.get(b"grpc-message", b"").decode("ascii", "replace")
            return f"{exchange.status} {text[:20]}".rstrip()
        if b"OVERLOADED" in details and b"google.rpc.RetryInfo" in details:
            return OVERLOADED
        return _refusal(details)


def read_templates(folder: Path) -> list[bytes]:
    """Return the requests to number, one for each service."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def numbered(templates: list[bytes], number: int) -> bytes:
    """Return the request with this number, whose evidence is of a time of its own."""
    raw = templates[number % len(templates)].replace(PLACE, b"%08x" % number)
    return raw.replace(_varint(NANOSECONDS), _varint(number % 999_983 * 1000))


def _varint(value: int) -> bytes:
    """Return a number in five bytes, however small it is."""
    return bytes((value >> shift & 0x7F) | (0x80 if shift < 28 else 0) for shift in range(0, 35, 7))


def _refusal(details: bytes) -> str:
    """Return reason and kind of a refusal's details, which come as they are and end with the padding of none."""
    status = status_pb2.Status.FromString(details.removeprefix(b"\x00"))
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    found = {packed.TypeName(): packed for packed in status.details}
    if (packed := found.get(info.DESCRIPTOR.full_name)) is not None:
        packed.Unpack(info)
    has_retry = retry.DESCRIPTOR.full_name in found
    return f"UNAVAILABLE {info.reason}{'' if has_retry else ' without RetryInfo'}"


def main() -> None:
    """Do as ordered."""
    orders = Orders(**json.loads(sys.stdin.readline()))
    flood = Flood(orders)
    gc.disable()
    asyncio.run(flood.run())
    windows = [
        {
            "sent": window.sent,
            "done": window.done,
            "late": window.late,
            "statuses": window.statuses,
            "answered": [round(value, 5) for value in window.answered],
            "refused": [round(value, 5) for value in window.refused],
        }
        for window in flood.windows
    ]
    print(json.dumps({"windows": windows, "processor_seconds": time.process_time()}))


if __name__ == "__main__":
    main()
