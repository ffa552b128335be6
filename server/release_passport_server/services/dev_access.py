"""Let everybody on this machine in: what development mode does instead of asking for tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from release_passport_server.domain.access import PLATFORM, Principal
from release_passport_server.domain.catalog import RoleBinding
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Store, Transaction
from release_passport_server.ports.tokens import Tokens
from release_passport_server.services.access import ADMIN, put_binding
from release_passport_server.services.asking import Ask
from release_passport_server.services.tenants import PLATFORM_ADMIN, bootstrap_tenant
from release_passport_server.services.tokens import TokenOrder, issue

DEV_TENANT = "default"
DEV_PRINCIPAL = "user:dev"
LIFE = timedelta(days=30)

_SETUP = "server:dev"
_UNSET = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


async def admit_everybody(store: Store, ids: Ids, tokens: Tokens) -> str:
    """Return the secret of a new token for `user:dev`, an administrator of the tenant that is made where missing."""
    if await store.read(DEV_TENANT, lambda reader: reader.find_tenant()) is None:
        await bootstrap_tenant(store, ids, tokens, DEV_TENANT, title="Development")
    ask = Ask(Principal(_SETUP, PLATFORM, _NEVER), "Dev")

    def bind(tx: Transaction, principal: str, role: str) -> None:
        if not any(held.principal == principal for held in tx.all_role_bindings()):
            put_binding(tx, ask, ids, RoleBinding("", principal, role, _UNSET, ""))

    def act(tx: Transaction) -> str:
        bind(tx, DEV_PRINCIPAL, ADMIN)
        order = TokenOrder(DEV_PRINCIPAL, "development mode", tx.now + LIFE)
        return issue(tx, ids, tokens, order, _SETUP).secret

    await store.write(PLATFORM, lambda tx: bind(tx, f"{DEV_TENANT}/{DEV_PRINCIPAL}", PLATFORM_ADMIN))
    return (await store.write(DEV_TENANT, act)).value
