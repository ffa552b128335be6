"""The calls about watch windows."""

from __future__ import annotations

from release_passport.connection import Connection
from release_passport.v1 import watch_window_service_pb2 as pb


class WindowCalls(Connection):
    """A part of the client; each method is one RPC."""

    def get_watch_window(
        self, request: pb.GetWatchWindowRequest, *, timeout: float | None = None
    ) -> pb.GetWatchWindowResponse:
        """Return the watch window of one attempt."""
        return self.call("WatchWindowService/GetWatchWindow", request, pb.GetWatchWindowResponse, timeout)

    def list_watch_windows(
        self, request: pb.ListWatchWindowsRequest, *, timeout: float | None = None
    ) -> pb.ListWatchWindowsResponse:
        """Return the windows of the rollouts that are under way, by name."""
        return self.call("WatchWindowService/ListWatchWindows", request, pb.ListWatchWindowsResponse, timeout)

    def acknowledge_watch_window(
        self, request: pb.AcknowledgeWatchWindowRequest, *, timeout: float | None = None
    ) -> pb.AcknowledgeWatchWindowResponse:
        """Clear what latched on the digests of a rollout."""
        return self.call(
            "WatchWindowService/AcknowledgeWatchWindow", request, pb.AcknowledgeWatchWindowResponse, timeout
        )

    def close_watch_window(
        self, request: pb.CloseWatchWindowRequest, *, timeout: float | None = None
    ) -> pb.CloseWatchWindowResponse:
        """End a rollout that nobody else ends."""
        return self.call("WatchWindowService/CloseWatchWindow", request, pb.CloseWatchWindowResponse, timeout)

    def adopt_policies(
        self, request: pb.AdoptPoliciesRequest, *, timeout: float | None = None
    ) -> pb.AdoptPoliciesResponse:
        """Have a rollout judged by the policies as they are now, or return what that would change."""
        return self.call("WatchWindowService/AdoptPolicies", request, pb.AdoptPoliciesResponse, timeout)
