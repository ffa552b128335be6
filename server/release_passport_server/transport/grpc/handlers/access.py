"""AccessService: convert, call, convert."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport.v1 import access_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.services.access import RoleBindings, WhoAmI
from release_passport_server.services.access_review import AccessReview
from release_passport_server.services.bans import Bans
from release_passport_server.services.tokens import APITokens, TokenOrder
from release_passport_server.transport.grpc.handlers.asking import ask_of
from release_passport_server.wire import access as wire
from release_passport_server.wire import access_review as reviewing
from release_passport_server.wire.paging import next_token, page_from_request
from release_passport_server.wire.times import timestamp


@dataclass(frozen=True, slots=True)
class AccessHandlers:
    """Says who may do what."""

    who_am_i: WhoAmI
    bindings: RoleBindings
    tokens: APITokens
    bans: Bans
    reviews: AccessReview

    async def WhoAmI(self, principal: Principal, request: pb.WhoAmIRequest) -> pb.WhoAmIResponse:
        """Return who the server takes the caller for."""
        identity = await self.who_am_i(principal)
        return pb.WhoAmIResponse(
            principal=principal.id,
            tenant=principal.tenant,
            roles=identity.roles,
            verbs=identity.verbs,
            expire_time=timestamp(principal.expire_time),
            notices=identity.notices,
            server_version=identity.server_version,
            groups=principal.groups,
            identities=principal.identities,
        )

    async def CreateRoleBinding(
        self, principal: Principal, request: pb.CreateRoleBindingRequest
    ) -> pb.CreateRoleBindingResponse:
        """Give a principal a role."""
        same_tenant(principal, request.tenant)
        binding = wire.binding_to_create(request.role_binding)
        written = await self.bindings.create(ask_of(principal, "CreateRoleBinding", request), binding)
        shown = wire.binding_to_proto(principal.tenant, written.value)
        return pb.CreateRoleBindingResponse(role_binding=shown, revision=written.revision)

    async def ListRoleBindings(
        self, principal: Principal, request: pb.ListRoleBindingsRequest
    ) -> pb.ListRoleBindingsResponse:
        """List bindings, newest first."""
        same_tenant(principal, request.tenant)
        of = wire.principal_or_empty(request.principal, "principal")
        page = page_from_request(principal, "ListRoleBindings", request)
        listed = await self.bindings.list(principal, of, page)
        return pb.ListRoleBindingsResponse(
            role_bindings=[wire.binding_to_proto(principal.tenant, binding) for binding in listed.items],
            next_page_token=next_token(principal, "ListRoleBindings", request, listed.next_after),
        )

    async def DeleteRoleBinding(
        self, principal: Principal, request: pb.DeleteRoleBindingRequest
    ) -> pb.DeleteRoleBindingResponse:
        """Take a role away."""
        binding_id = wire.binding_id_of(principal, request.name)
        written = await self.bindings.delete(ask_of(principal, "DeleteRoleBinding", request), binding_id)
        return pb.DeleteRoleBindingResponse(revision=written.revision)

    async def CheckAccess(
        self, principal: Principal, request: pb.CheckAccessRequest
    ) -> pb.CheckAccessResponse:
        """Say whether somebody may do something, and why."""
        same_tenant(principal, request.tenant)
        question = reviewing.question_of(request)
        answer = await self.reviews.check(principal, request.principal, tuple(request.groups), question)
        return reviewing.answer_to_proto(principal.tenant, answer, question, explain=request.explain)

    async def ReviewAccess(
        self, principal: Principal, request: pb.ReviewAccessRequest
    ) -> pb.ReviewAccessResponse:
        """List who may do what, newest binding first."""
        same_tenant(principal, request.tenant)
        of = wire.principal_or_empty(request.principal, "principal")
        page = page_from_request(principal, "ReviewAccess", request)
        listed = await self.reviews.review(principal, of, page)
        return pb.ReviewAccessResponse(
            access=[reviewing.entry_to_proto(principal.tenant, one) for one in listed.items],
            next_page_token=next_token(principal, "ReviewAccess", request, listed.next_after),
        )

    async def CreateAPIToken(
        self, principal: Principal, request: pb.CreateAPITokenRequest
    ) -> pb.CreateAPITokenResponse:
        """Make a token with roles and return its secret, once."""
        same_tenant(principal, request.tenant)
        who, title, expire_time, roles = wire.token_to_create(request.api_token, request.role_bindings)
        ask = ask_of(principal, "CreateAPIToken", request)
        written = await self.tokens.create(ask, TokenOrder(who, title, expire_time), roles)
        return pb.CreateAPITokenResponse(
            api_token=wire.token_to_proto(principal.tenant, written.value.token),
            secret=written.value.secret,
            revision=written.revision,
        )

    async def ListAPITokens(
        self, principal: Principal, request: pb.ListAPITokensRequest
    ) -> pb.ListAPITokensResponse:
        """List tokens without secrets, newest first."""
        same_tenant(principal, request.tenant)
        page = page_from_request(principal, "ListAPITokens", request)
        listed = await self.tokens.list(principal, page)
        return pb.ListAPITokensResponse(
            api_tokens=[wire.token_to_proto(principal.tenant, token) for token in listed.items],
            next_page_token=next_token(principal, "ListAPITokens", request, listed.next_after),
        )

    async def RevokeAPIToken(
        self, principal: Principal, request: pb.RevokeAPITokenRequest
    ) -> pb.RevokeAPITokenResponse:
        """End a token at once."""
        token_id = wire.token_id_of(principal, request.name)
        written = await self.tokens.revoke(ask_of(principal, "RevokeAPIToken", request), token_id)
        shown = wire.token_to_proto(principal.tenant, written.value)
        return pb.RevokeAPITokenResponse(api_token=shown, revision=written.revision)

    async def CreateBan(self, principal: Principal, request: pb.CreateBanRequest) -> pb.CreateBanResponse:
        """Refuse a principal, or one of its credentials."""
        same_tenant(principal, request.tenant)
        wanted = wire.ban_to_create(request.ban)
        written = await self.bans.create(ask_of(principal, "CreateBan", request), wanted)
        shown = wire.ban_to_proto(principal.tenant, written.value)
        return pb.CreateBanResponse(ban=shown, revision=written.revision)

    async def EndBan(self, principal: Principal, request: pb.EndBanRequest) -> pb.EndBanResponse:
        """Let a principal in again."""
        ban_id = wire.ban_id_of(principal, request.name)
        written = await self.bans.end(ask_of(principal, "EndBan", request), ban_id)
        shown = wire.ban_to_proto(principal.tenant, written.value)
        return pb.EndBanResponse(ban=shown, revision=written.revision)

    async def ListBans(self, principal: Principal, request: pb.ListBansRequest) -> pb.ListBansResponse:
        """List bans, newest first."""
        same_tenant(principal, request.tenant)
        of = wire.principal_or_empty(request.principal, "principal")
        page = page_from_request(principal, "ListBans", request)
        listed = await self.bans.list(principal, of, page)
        return pb.ListBansResponse(
            bans=[wire.ban_to_proto(principal.tenant, ban) for ban in listed.items],
            next_page_token=next_token(principal, "ListBans", request, listed.next_after),
        )
