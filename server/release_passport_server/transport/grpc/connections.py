"""Connections of the gRPC port: how many, how long one may keep the server waiting, and how much it may ask."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connections:
    """What is asked of the peer of a connection; who does not keep to it is cut off."""

    # More than these are closed as soon as they are opened.
    most: int = 1000
    # Calls at once on one connection, told in SETTINGS; a client that heeds it holds the others back.
    streams: int = 1000
    # From the connection's begin to the end of the TLS handshake and the first SETTINGS.
    handshake_seconds: float = 10
    # A connection without calls is ended; clients open another one when they need it.
    idle_seconds: float = 5 * 60
    # After so long without a word the peer is asked whether it is there, and has so long to say so.
    ping_seconds: float = 60
    pong_seconds: float = 20
    # Connections are renewed, so that clients find new replicas; calls on an old one may end.
    age_seconds: float = 30 * 60
    last_calls_seconds: float = 5 * 60

    def options(self) -> tuple[tuple[str, int], ...]:
        """Return what gRPC's core has to be told."""
        return (
            ("grpc.max_allowed_incoming_connections", self.most),
            ("grpc.max_concurrent_streams", self.streams),
            ("grpc.server_handshake_timeout_ms", _milliseconds(self.handshake_seconds)),
            ("grpc.max_connection_idle_ms", _milliseconds(self.idle_seconds)),
            ("grpc.keepalive_time_ms", _milliseconds(self.ping_seconds)),
            ("grpc.keepalive_timeout_ms", _milliseconds(self.pong_seconds)),
            # The time-out above ends nothing by itself where the peer's TCP acknowledges what its HTTP/2 does not.
            ("grpc.http2.ping_timeout_ms", _milliseconds(self.pong_seconds)),
            # A peer that vanished is noticed between calls, too.
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
            ("grpc.max_connection_age_ms", _milliseconds(self.age_seconds)),
            ("grpc.max_connection_age_grace_ms", _milliseconds(self.last_calls_seconds)),
        )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
