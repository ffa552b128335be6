"""People who come with tokens of an identity provider, to a place where releases are voted on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from release_passport.v1 import access_pb2, access_service_pb2
from release_passport_server.domain.identity import Admission, Kind, Source
from release_passport_server.ports.identity import Vouched
from support.calls import Caller
from support.voting import Place

TENANT = "default"
CORP = Source("corp", Kind.PERSON, "{sub}", (Admission(TENANT, {}),), {}, "groups", ("email",))


class Provider:
    """Vouches for the person whose name a token gives; `ada` and `ada.2` are two accounts with one address."""

    def may_be_token(self, text: str) -> bool:
        """Say whether this is one of the provider's tokens."""
        return text.startswith("ey.")

    async def verify(self, text: str) -> Vouched:
        """Return who the token names."""
        name = text.removeprefix("ey.")
        address = f"{name.partition('.')[0]}@example.com"
        claims = {"sub": name, "groups": ["leads"], "email": address, "email_verified": True}
        return Vouched(CORP, claims, datetime.now(UTC) + timedelta(minutes=5), name)


async def signed_in(place: Place, name: str, role: str = "approver") -> Caller:
    """Return somebody who comes with a token of the provider."""
    binding = access_pb2.RoleBinding(principal=f"user:corp/{name}", role=role)
    request = access_service_pb2.CreateRoleBindingRequest(role_binding=binding)
    await place.admin("CreateRoleBinding", request)
    place.people[name] = Caller(place.admin.server, f"ey.{name}")
    return place.people[name]
