"""Small resources as documents: each collection's form, its id and what else it is searched by."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from release_passport_server.domain.canonical import canonical, stamp, unstamp
from release_passport_server.domain.catalog import (
    APIToken,
    Ban,
    Environment,
    ObserveOnlyBinding,
    RoleBinding,
    Service,
    Tenant,
)
from release_passport_server.domain.release import Latch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Collection(Generic[T]):
    """How values of one type are kept."""

    name: str
    type: type[T]
    id_of: Callable[[T], str]
    key_of: Callable[[T], str] = lambda _: ""

    def encode(self, value: T) -> bytes:
        """Return a value's fields as canonical JSON."""
        named = {field.name: getattr(value, field.name) for field in fields(value)}  # type: ignore[arg-type]
        return canonical({name: _encoded(one) for name, one in named.items()})

    def decode(self, body: bytes) -> T:
        """Return the value of stored bytes; what a newer version wrote besides is passed over."""
        known: Mapping[str, object] = self.type.__dataclass_fields__  # type: ignore[attr-defined]
        return self.type(**{name: _decoded(one) for name, one in json.loads(body).items() if name in known})


def _encoded(value: object) -> object:
    match value:
        case datetime():
            return {"time": stamp(value)}
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case tuple():
            return {"list": [_encoded(one) for one in value]}
        case dict():
            return {"map": value}
        case _:
            return value


def _decoded(value: Any) -> Any:
    match value:
        case {"time": text}:
            return unstamp(text)
        case {"bytes": text}:
            return base64.b64decode(text)
        case {"list": items}:
            return tuple(_decoded(one) for one in items)
        case {"map": mapping}:
            return mapping
        case _:
            return value


SERVICES = Collection("services", Service, lambda s: s.service_id)
ENVIRONMENTS = Collection("environments", Environment, lambda e: e.environment_id)
BINDINGS = Collection(
    "observe_only", ObserveOnlyBinding, lambda b: b.binding_id, lambda b: f"{b.service}/{b.environment}"
)
ROLE_BINDINGS = Collection("role_bindings", RoleBinding, lambda b: b.binding_id, lambda b: b.principal)
TOKENS = Collection("api_tokens", APIToken, lambda t: t.token_id, lambda t: t.principal)
BANS = Collection("bans", Ban, lambda b: b.ban_id, lambda b: b.principal)
TENANTS = Collection("tenants", Tenant, lambda t: t.tenant_id)
# The key of a latch is the digest of what is latched; the store gives it.
LATCHES = Collection("latches", Latch, lambda latch: latch.name)
