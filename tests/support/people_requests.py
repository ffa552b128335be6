"""A request of every method about what people record; nothing is wrong with its form."""

from __future__ import annotations

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from release_passport.v1 import approval_service_pb2 as approvals
from release_passport.v1 import connector_pb2 as connector
from release_passport.v1 import connector_service_pb2 as connectors
from release_passport.v1 import freeze_pb2 as freeze
from release_passport.v1 import freeze_service_pb2 as freezes
from release_passport.v1 import gate_pb2 as gate
from release_passport.v1 import gate_service_pb2 as gates
from release_passport.v1 import group_service_pb2 as groups
from release_passport.v1 import notification_pb2 as notification
from release_passport.v1 import notification_service_pb2 as notifications
from release_passport.v1 import override_service_pb2 as overrides
from release_passport.v1 import policy_pb2 as policy
from release_passport.v1 import waiver_service_pb2 as waivers
from support.names import Names, ahead

REASON = "because the quarter ends and nobody is here"


def people_requests(n: Names) -> dict[str, Message]:
    """Return the requests about one release and its place."""
    return {**_votes(n), **_exceptions(n), **_freezes(n), **_gates(n), **_notifications(n), **_connectors(n)}


def _votes(n: Names) -> dict[str, Message]:
    about = {"release": n.release, "policy": "baseline", "rule": "pinned"}
    vote = f"{n.release}/approvals/{n.ulid}"
    group = groups.Group(group_id="sre", title="SRE", members=["user:ada", "group:okta/sre"])
    return {
        "Approve": approvals.ApproveRequest(**about, group="sre", reason=REASON, etag="e"),
        "Reject": approvals.RejectRequest(**about, reason=REASON, etag="e"),
        "RevokeApproval": approvals.RevokeApprovalRequest(name=vote, reason=REASON),
        "ResolveRejection": approvals.ResolveRejectionRequest(name=vote, reason=REASON),
        "GetApprovalRequest": approvals.GetApprovalRequestRequest(**about),
        "ListApprovals": approvals.ListApprovalsRequest(release=n.release),
        "ListPendingApprovals": approvals.ListPendingApprovalsRequest(tenant=n.tenant),
        "PutGroup": groups.PutGroupRequest(tenant=n.tenant, group=group),
        "DeleteGroup": groups.DeleteGroupRequest(name=f"{n.inside}/groups/sre"),
        "ListGroups": groups.ListGroupsRequest(tenant=n.tenant),
    }


def _exceptions(n: Names) -> dict[str, Message]:
    waiver, override = f"{n.inside}/waivers/{n.ulid}", f"{n.release}/overrides/{n.ulid}"
    return {
        "RequestWaiver": waivers.RequestWaiverRequest(
            release=n.release,
            policy="baseline",
            rule="pinned",
            owner="user:ada",
            ticket="OPS-1",
            reason=REASON,
            expire_time=ahead(days=7),
        ),
        "GrantWaiver": waivers.GrantWaiverRequest(name=waiver),
        "RevokeWaiver": waivers.RevokeWaiverRequest(name=waiver, reason=REASON),
        "GetWaiver": waivers.GetWaiverRequest(name=waiver),
        "ListWaivers": waivers.ListWaiversRequest(
            tenant=n.tenant, service=n.service, environment=n.environment, release=n.release
        ),
        "CreateOverride": overrides.CreateOverrideRequest(
            release=n.release,
            decision=f"{n.release}/decisions/{n.ulid}",
            ticket="OPS-1",
            reason=REASON,
            duration=Duration(seconds=3600),
        ),
        "RecordOverride": overrides.RecordOverrideRequest(
            release=n.release,
            principal="user:ada",
            act_time=ahead(days=0),
            ticket="OPS-1",
            reason=REASON,
            artifact_digests=[n.digest],
        ),
        "WithdrawOverride": overrides.WithdrawOverrideRequest(name=override),
        "ReviewOverride": overrides.ReviewOverrideRequest(name=override, review=REASON),
        "ListOverrides": overrides.ListOverridesRequest(
            tenant=n.tenant, service=n.service, environment=n.environment
        ),
    }


def _freezes(n: Names) -> dict[str, Message]:
    name = f"{n.inside}/freezes/{n.ulid}"
    exemption = f"{n.release}/freezeExemptions/{n.ulid}"

    def wanted(name: str = "", etag: str = "") -> freeze.Freeze:
        return freeze.Freeze(
            title="quarter's end",
            services=[n.service],
            environments=[n.environment],
            start_time=ahead(days=1),
            until_time=ahead(days=30),
            rrule="FREQ=WEEKLY;BYDAY=FR",
            duration=timedelta(hours=8),
            time_zone="Europe/Berlin",
            in_flight="IN_FLIGHT_FINISH",
            exempt_groups=[policy.ApprovalGroup(group="sre", count=1)],
            reason=REASON,
            name=name,
            etag=etag,
        )

    return {
        "CreateFreeze": freezes.CreateFreezeRequest(tenant=n.tenant, freeze=wanted()),
        "UpdateFreeze": freezes.UpdateFreezeRequest(freeze=wanted(name, "e")),
        "EndFreeze": freezes.EndFreezeRequest(name=name, reason=REASON),
        "GetFreeze": freezes.GetFreezeRequest(name=name),
        "ListFreezes": freezes.ListFreezesRequest(tenant=n.tenant),
        "CreateFreezeExemption": freezes.CreateFreezeExemptionRequest(
            freeze=name, release=n.release, ticket="OPS-1", reason=REASON, expire_time=ahead(days=1)
        ),
        "EndFreezeExemption": freezes.EndFreezeExemptionRequest(name=exemption),
        "ListFreezeExemptions": freezes.ListFreezeExemptionsRequest(
            tenant=n.tenant, freeze=name, release=n.release
        ),
    }


def _gates(n: Names) -> dict[str, Message]:
    name = f"{n.inside}/gates/{n.ulid}"

    def wanted(name: str = "", etag: str = "") -> gate.Gate:
        return gate.Gate(
            title="checkout in production",
            controller="GATE_CONTROLLER_FLAGGER",
            cluster="eu-1",
            namespace="shop",
            object_name="checkout",
            service=n.service,
            environment=n.environment,
            hooks=["confirm-rollout", "rollback"],
            on_rollback="GATE_ON_ROLLBACK_EXECUTE",
            injected_containers=["istio-proxy"],
            name=name,
            etag=etag,
        )

    return {
        "CreateGate": gates.CreateGateRequest(tenant=n.tenant, gate=wanted()),
        "GetGate": gates.GetGateRequest(name=name),
        "ListGates": gates.ListGatesRequest(tenant=n.tenant),
        "UpdateGate": gates.UpdateGateRequest(gate=wanted(name, "e")),
        "DeleteGate": gates.DeleteGateRequest(name=name),
        "GetGateHealth": gates.GetGateHealthRequest(name=name),
    }


def _connectors(n: Names) -> dict[str, Message]:
    name = f"{n.inside}/connectors/{n.ulid}"

    def wanted(name: str = "", etag: str = "") -> connector.Connector:
        made = connector.Connector(
            title="checkout's metrics",
            kind="prometheus",
            service=n.service,
            environment=n.environment,
            endpoint="https://prometheus.example.com",
            # No test has it ask anything there.
            paused=True,
            name=name,
            etag=etag,
        )
        made.settings.update({"queries": [{"name": "error-rate", "query": "vector(0)"}]})
        return made

    return {
        "CreateConnector": connectors.CreateConnectorRequest(tenant=n.tenant, connector=wanted()),
        "GetConnector": connectors.GetConnectorRequest(name=name),
        "ListConnectors": connectors.ListConnectorsRequest(tenant=n.tenant),
        "UpdateConnector": connectors.UpdateConnectorRequest(connector=wanted(name, "e")),
        "DeleteConnector": connectors.DeleteConnectorRequest(name=name),
        "TestConnector": connectors.TestConnectorRequest(tenant=n.tenant, name=name),
        "CollectNow": connectors.CollectNowRequest(name=name),
        "WakeConnector": connectors.WakeConnectorRequest(name=name),
    }


def _notifications(n: Names) -> dict[str, Message]:
    name = f"{n.inside}/notificationChannels/{n.ulid}"

    def wanted(name: str = "", etag: str = "") -> notification.NotificationChannel:
        return notification.NotificationChannel(
            title="The team's chat",
            url="https://example.com/hook",
            # Nothing is of this type: no test sends anything to this address.
            event_types=["nothing.*"],
            services=[n.service],
            environments=[n.environment],
            name=name,
            etag=etag,
        )

    return {
        "CreateNotificationChannel": notifications.CreateNotificationChannelRequest(
            tenant=n.tenant, channel=wanted()
        ),
        "GetNotificationChannel": notifications.GetNotificationChannelRequest(name=name),
        "ListNotificationChannels": notifications.ListNotificationChannelsRequest(tenant=n.tenant),
        "UpdateNotificationChannel": notifications.UpdateNotificationChannelRequest(
            channel=wanted(name, "e")
        ),
        "DeleteNotificationChannel": notifications.DeleteNotificationChannelRequest(name=name),
        "EnableNotificationChannel": notifications.EnableNotificationChannelRequest(name=name),
        "TestNotificationChannel": notifications.TestNotificationChannelRequest(name=name),
        "ListNotificationDeliveries": notifications.ListNotificationDeliveriesRequest(name=name),
        "ReplayNotifications": notifications.ReplayNotificationsRequest(name=name, from_revision=1),
    }
