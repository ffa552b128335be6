"""The calls about who may do what: roles, tokens and tenants."""

from __future__ import annotations

from release_passport.connection import Connection
from release_passport.v1 import access_service_pb2, tenant_service_pb2


class AccessCalls(Connection):
    """A part of the client; each method is one RPC."""

    def who_am_i(
        self, request: access_service_pb2.WhoAmIRequest, *, timeout: float | None = None
    ) -> access_service_pb2.WhoAmIResponse:
        """Return who the server takes the caller for."""
        return self.call("AccessService/WhoAmI", request, access_service_pb2.WhoAmIResponse, timeout)

    def create_role_binding(
        self, request: access_service_pb2.CreateRoleBindingRequest, *, timeout: float | None = None
    ) -> access_service_pb2.CreateRoleBindingResponse:
        """Give a principal a role."""
        return self.call(
            "AccessService/CreateRoleBinding", request, access_service_pb2.CreateRoleBindingResponse, timeout
        )

    def list_role_bindings(
        self, request: access_service_pb2.ListRoleBindingsRequest, *, timeout: float | None = None
    ) -> access_service_pb2.ListRoleBindingsResponse:
        """Return bindings, newest first."""
        return self.call(
            "AccessService/ListRoleBindings", request, access_service_pb2.ListRoleBindingsResponse, timeout
        )

    def delete_role_binding(
        self, request: access_service_pb2.DeleteRoleBindingRequest, *, timeout: float | None = None
    ) -> access_service_pb2.DeleteRoleBindingResponse:
        """Take a role away."""
        return self.call(
            "AccessService/DeleteRoleBinding", request, access_service_pb2.DeleteRoleBindingResponse, timeout
        )

    def check_access(
        self, request: access_service_pb2.CheckAccessRequest, *, timeout: float | None = None
    ) -> access_service_pb2.CheckAccessResponse:
        """Return whether somebody may do something, and why."""
        return self.call(
            "AccessService/CheckAccess", request, access_service_pb2.CheckAccessResponse, timeout
        )

    def review_access(
        self, request: access_service_pb2.ReviewAccessRequest, *, timeout: float | None = None
    ) -> access_service_pb2.ReviewAccessResponse:
        """Return who may do what, newest binding first."""
        return self.call(
            "AccessService/ReviewAccess", request, access_service_pb2.ReviewAccessResponse, timeout
        )

    def create_api_token(
        self, request: access_service_pb2.CreateAPITokenRequest, *, timeout: float | None = None
    ) -> access_service_pb2.CreateAPITokenResponse:
        """Make a token and return its secret, once."""
        return self.call(
            "AccessService/CreateAPIToken", request, access_service_pb2.CreateAPITokenResponse, timeout
        )

    def list_api_tokens(
        self, request: access_service_pb2.ListAPITokensRequest, *, timeout: float | None = None
    ) -> access_service_pb2.ListAPITokensResponse:
        """Return tokens without secrets, newest first."""
        return self.call(
            "AccessService/ListAPITokens", request, access_service_pb2.ListAPITokensResponse, timeout
        )

    def revoke_api_token(
        self, request: access_service_pb2.RevokeAPITokenRequest, *, timeout: float | None = None
    ) -> access_service_pb2.RevokeAPITokenResponse:
        """End a token at once."""
        return self.call(
            "AccessService/RevokeAPIToken", request, access_service_pb2.RevokeAPITokenResponse, timeout
        )

    def create_ban(
        self, request: access_service_pb2.CreateBanRequest, *, timeout: float | None = None
    ) -> access_service_pb2.CreateBanResponse:
        """Refuse a principal, or one of its credentials."""
        return self.call("AccessService/CreateBan", request, access_service_pb2.CreateBanResponse, timeout)

    def end_ban(
        self, request: access_service_pb2.EndBanRequest, *, timeout: float | None = None
    ) -> access_service_pb2.EndBanResponse:
        """Let a principal in again."""
        return self.call("AccessService/EndBan", request, access_service_pb2.EndBanResponse, timeout)

    def list_bans(
        self, request: access_service_pb2.ListBansRequest, *, timeout: float | None = None
    ) -> access_service_pb2.ListBansResponse:
        """Return bans, newest first."""
        return self.call("AccessService/ListBans", request, access_service_pb2.ListBansResponse, timeout)

    def create_tenant(
        self, request: tenant_service_pb2.CreateTenantRequest, *, timeout: float | None = None
    ) -> tenant_service_pb2.CreateTenantResponse:
        """Make a tenant and return its admin token, once."""
        return self.call(
            "TenantService/CreateTenant", request, tenant_service_pb2.CreateTenantResponse, timeout
        )

    def get_tenant(
        self, request: tenant_service_pb2.GetTenantRequest, *, timeout: float | None = None
    ) -> tenant_service_pb2.GetTenantResponse:
        """Return one tenant."""
        return self.call("TenantService/GetTenant", request, tenant_service_pb2.GetTenantResponse, timeout)

    def list_tenants(
        self, request: tenant_service_pb2.ListTenantsRequest, *, timeout: float | None = None
    ) -> tenant_service_pb2.ListTenantsResponse:
        """Return tenants by name."""
        return self.call(
            "TenantService/ListTenants", request, tenant_service_pb2.ListTenantsResponse, timeout
        )

    def update_tenant(
        self, request: tenant_service_pb2.UpdateTenantRequest, *, timeout: float | None = None
    ) -> tenant_service_pb2.UpdateTenantResponse:
        """Replace a tenant's title and settings."""
        return self.call(
            "TenantService/UpdateTenant", request, tenant_service_pb2.UpdateTenantResponse, timeout
        )

    def suspend_tenant(
        self, request: tenant_service_pb2.SuspendTenantRequest, *, timeout: float | None = None
    ) -> tenant_service_pb2.SuspendTenantResponse:
        """Suspend a tenant, or lift the suspension."""
        return self.call(
            "TenantService/SuspendTenant", request, tenant_service_pb2.SuspendTenantResponse, timeout
        )
