"""What it costs to know who asks and whether they may, with 10,000 role bindings and over 500 Casbin policies.

Run: `python tests/perf/bench_identity.py`. The aim is 25 µs a call for somebody who is known already. The first row is
what a token costs whose signature is verified, the second what Casbin itself takes for the question alone; all rows are
measured in turns, in one run.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "clients" / "python"), str(ROOT / "tests")]

from release_passport_server.adapters.casbin.enforcer import TenantEnforcer  # noqa: E402
from release_passport_server.adapters.casbin.index import AccessIndex  # noqa: E402
from release_passport_server.adapters.casbin.roles import load_roles  # noqa: E402
from release_passport_server.adapters.http.client import GuardedClients  # noqa: E402
from release_passport_server.adapters.sql.store import SQLStore  # noqa: E402
from release_passport_server.adapters.system.clock import SystemClock  # noqa: E402
from release_passport_server.adapters.system.ids import SystemIds  # noqa: E402
from release_passport_server.adapters.tokens.bearer import BearerTokens  # noqa: E402
from release_passport_server.domain.access import Verb  # noqa: E402
from release_passport_server.domain.catalog import RoleBinding  # noqa: E402
from release_passport_server.federation import vouchers_of  # noqa: E402
from release_passport_server.identity_settings import IdentitiesFile  # noqa: E402
from release_passport_server.ports.store import Transaction  # noqa: E402
from release_passport_server.resources import policies_dir  # noqa: E402
from release_passport_server.services.authenticate import Authenticate  # noqa: E402
from release_passport_server.services.grants import GrantLoader, grant_of  # noqa: E402
from release_passport_server.services.tenants import bootstrap_tenant  # noqa: E402
from support.authority import Authority, spiffe  # noqa: E402
from support.issuer import AUDIENCE, Issuer, issuer  # noqa: E402
from support.store import TENANT, opened  # noqa: E402

BINDINGS, ROUNDS, CALLS = 10_000, 15, 4_000
AIM = 25.0
PLAIN = "Casbin's enforce()"
Act = Callable[[], Awaitable[object]]


async def grant(store: SQLStore, *principals: str) -> None:
    """Store the role bindings: most of others, and one for each of those who will ask."""
    ids, clock = SystemIds(), SystemClock()

    def act(tx: Transaction) -> None:
        usual = RoleBinding("", "", "evaluator", clock.now(), "user:admin", ("checkout",), ("prod",))
        for number in range(BINDINGS - len(principals)):
            one = replace(
                usual, principal=f"user:corp/p{number % 4000}", services=(f"service-{number % 500}",)
            )
            tx.put_role_binding(replace(one, binding_id=ids.ulid(clock.now())))
        for principal in principals:
            tx.put_role_binding(replace(usual, binding_id=ids.ulid(clock.now()), principal=principal))

    await store.write(TENANT, act)


async def enforcer_of(store: SQLStore) -> TenantEnforcer:
    """Return Casbin's own enforcer over the bindings that are stored."""
    bindings = await store.read(TENANT, lambda reader: reader.all_role_bindings())
    rbac = policies_dir() / "rbac"
    roles = load_roles(rbac / "default_roles.csv")
    return TenantEnforcer(rbac / "model.conf", roles, TENANT, [grant_of(one) for one in bindings])


def authenticate_of(store: SQLStore, idp: Issuer) -> Authenticate:
    """Wire what finds out who asks, as the server does."""
    access = AccessIndex(policies_dir() / "rbac")
    admit = [{"tenant": TENANT}]
    people = {"alias": "corp", "preset": "people", "issuer": idp.url, "audience": AUDIENCE, "internal": True}
    file = IdentitiesFile.model_validate(
        {"issuers": [{**people, "admit": admit}], "certificates": {"alias": "mesh", "admit": admit}}
    )
    clock = SystemClock()
    trusted = vouchers_of(file, GuardedClients("bench"), clock)
    loader = GrantLoader(store, access, access, clock)
    return Authenticate(store, BearerTokens(), access, loader, clock, vouchers=trusted)


async def each(act: Act, calls: int) -> float:
    """Return the microseconds of one call."""
    began = time.perf_counter()
    for _ in range(calls):
        await act()
    return (time.perf_counter() - began) / calls * 1e6


async def measured(acts: dict[str, tuple[Act, int]]) -> dict[str, list[float]]:
    """Return the microseconds of each act, round by round."""
    found: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(ROUNDS):
        for name, (act, calls) in acts.items():
            found[name].append(await each(act, calls))
    return found


async def main() -> int:
    """Measure, print, and return 1 where the aim was missed."""
    folder = Path(tempfile.mkdtemp(prefix="identity-"))
    async with issuer() as idp, opened(f"sqlite:///{folder}/passport.db", SystemClock().now) as store:
        _, secret = await bootstrap_tenant(store, SystemIds(), BearerTokens(), TENANT)
        name = "spiffe://prod.test/ns/shop/sa/ci"
        await grant(store, "user:admin", "user:corp/ada", f"sa:mesh/{name}")
        known = authenticate_of(store, idp)
        certificate = Authority().issue("x", spiffe("ns/shop/sa/ci")).certificate
        token = idp.token()

        async def asked(bearer: str | None, shown: bytes = b"") -> None:
            principal = await known.authenticate(bearer, shown)
            known.access.require(principal, Verb.EVALUATE, service="checkout", environment="prod")

        plain = await enforcer_of(store)
        ada = await known.authenticate(token, b"")
        print(
            f"{BINDINGS} bindings of {len(plain.memberships())} roles in scopes, {len(plain.rules())} policies"
        )

        async def enforced() -> None:
            if not plain.enforce(ada, Verb.EVALUATE, "checkout", "prod", ""):
                raise AssertionError("Casbin denies what the index allows")

        async def anew() -> None:
            known._known.clear()
            await asked(token)

        rows: dict[str, tuple[Act, int]] = {
            "a signature verified": (anew, 40),
            PLAIN: (enforced, 1),
            "an API token, known": (lambda: asked(secret), CALLS),
            "an issuer's token, known": (lambda: asked(token), CALLS),
            "a certificate, known": (lambda: asked(None, certificate), CALLS),
        }
        for act, _ in rows.values():
            await act()
        found = await measured(rows)
    reference = statistics.median(found["a signature verified"])
    for row, figures in found.items():
        middle, worst = statistics.median(figures), max(figures)
        print(
            f"{row:26} {middle:8.1f} µs   worst round {worst:8.1f} µs   {middle / reference:.3f} of a signature"
        )
    missed = [row for row in list(found)[2:] if statistics.median(found[row]) > AIM]
    print(f"aim: {AIM:g} µs for those who are known, {'missed: ' + ', '.join(missed) if missed else 'met'}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
