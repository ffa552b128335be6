"""What a tenant trusts: its revisions as rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from release_passport.v1 import trust_pb2
from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import Values
from release_passport_server.adapters.sql.newest import revision_after
from release_passport_server.domain.record import Page
from release_passport_server.domain.trust import Trust, TrustRevision
from release_passport_server.wire.trust import trust_body, trust_of

_table = tables.trust_revisions


def trust_rows(tenant: str, revision: int = 0) -> Select[Any]:
    """Return the select of one revision, or of the newest."""
    which = _table.c.revision == revision if revision else _table.c.revision > 0
    rows = select(_table).where(_table.c.tenant == tenant, which)
    return rows.order_by(_table.c.revision.desc()).limit(1)


def trust_page(tenant: str, page: Page) -> Select[Any]:
    """Return the select of revisions, newest first."""
    rows = select(_table).where(_table.c.tenant == tenant)
    if page.after:
        rows = rows.where(_table.c.revision < revision_after(page.after))
    return rows.order_by(_table.c.revision.desc())


def newest_trust(connection: Connection, tenant: str) -> Trust:
    """Return what the tenant trusts now, without the roots' contents."""
    row = connection.execute(trust_rows(tenant)).first()
    return Trust() if row is None else trust_revision_of(row).trust.without_contents()


def trust_revision_of(row: Row[Any]) -> TrustRevision:
    """Return the revision of a row."""
    trust = trust_of(trust_pb2.TrustConfiguration.FromString(row.body), row.revision)
    return TrustRevision(trust, row.author, row.create_time)


def trust_values(tenant: str, revision: TrustRevision) -> Values:
    """Return the row of a revision."""
    return {
        "tenant": tenant,
        "revision": revision.trust.revision,
        "body": trust_body(revision.trust).SerializeToString(deterministic=True),
        "author": revision.author,
        "create_time": revision.create_time,
    }
