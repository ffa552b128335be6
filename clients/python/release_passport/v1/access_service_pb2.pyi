import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WhoAmIRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhoAmIResponse(_message.Message):
    __slots__ = ("principal", "tenant", "roles", "verbs", "expire_time", "notices", "server_version", "groups", "identities")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    VERBS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    principal: str
    tenant: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    verbs: _containers.RepeatedScalarFieldContainer[str]
    expire_time: _timestamp_pb2.Timestamp
    notices: _containers.RepeatedScalarFieldContainer[str]
    server_version: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    identities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, principal: _Optional[str] = ..., tenant: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., verbs: _Optional[_Iterable[str]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., notices: _Optional[_Iterable[str]] = ..., server_version: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., identities: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateRoleBindingRequest(_message.Message):
    __slots__ = ("tenant", "role_binding", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    ROLE_BINDING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    role_binding: _access_pb2.RoleBinding
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., role_binding: _Optional[_Union[_access_pb2.RoleBinding, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateRoleBindingResponse(_message.Message):
    __slots__ = ("role_binding", "revision")
    ROLE_BINDING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    role_binding: _access_pb2.RoleBinding
    revision: int
    def __init__(self, role_binding: _Optional[_Union[_access_pb2.RoleBinding, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ListRoleBindingsRequest(_message.Message):
    __slots__ = ("tenant", "principal", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    principal: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., principal: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRoleBindingsResponse(_message.Message):
    __slots__ = ("role_bindings", "next_page_token")
    ROLE_BINDINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    role_bindings: _containers.RepeatedCompositeFieldContainer[_access_pb2.RoleBinding]
    next_page_token: str
    def __init__(self, role_bindings: _Optional[_Iterable[_Union[_access_pb2.RoleBinding, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteRoleBindingRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteRoleBindingResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class CheckAccessRequest(_message.Message):
    __slots__ = ("tenant", "principal", "groups", "verb", "service", "environment", "evidence_kind", "explain")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_KIND_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    principal: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    verb: str
    service: str
    environment: str
    evidence_kind: str
    explain: bool
    def __init__(self, tenant: _Optional[str] = ..., principal: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., verb: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., evidence_kind: _Optional[str] = ..., explain: bool = ...) -> None: ...

class CheckAccessResponse(_message.Message):
    __slots__ = ("allowed", "principal", "banned", "bindings", "explanation")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    BANNED_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    principal: str
    banned: bool
    bindings: _containers.RepeatedCompositeFieldContainer[_access_pb2.BindingRuling]
    explanation: str
    def __init__(self, allowed: bool = ..., principal: _Optional[str] = ..., banned: bool = ..., bindings: _Optional[_Iterable[_Union[_access_pb2.BindingRuling, _Mapping]]] = ..., explanation: _Optional[str] = ...) -> None: ...

class ReviewAccessRequest(_message.Message):
    __slots__ = ("tenant", "principal", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    principal: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., principal: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ReviewAccessResponse(_message.Message):
    __slots__ = ("access", "next_page_token")
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access: _containers.RepeatedCompositeFieldContainer[_access_pb2.AccessEntry]
    next_page_token: str
    def __init__(self, access: _Optional[_Iterable[_Union[_access_pb2.AccessEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateAPITokenRequest(_message.Message):
    __slots__ = ("tenant", "api_token", "role_bindings", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    API_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ROLE_BINDINGS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    api_token: _access_pb2.APIToken
    role_bindings: _containers.RepeatedCompositeFieldContainer[_access_pb2.RoleBinding]
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., api_token: _Optional[_Union[_access_pb2.APIToken, _Mapping]] = ..., role_bindings: _Optional[_Iterable[_Union[_access_pb2.RoleBinding, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateAPITokenResponse(_message.Message):
    __slots__ = ("api_token", "secret", "revision")
    API_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    api_token: _access_pb2.APIToken
    secret: str
    revision: int
    def __init__(self, api_token: _Optional[_Union[_access_pb2.APIToken, _Mapping]] = ..., secret: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class ListAPITokensRequest(_message.Message):
    __slots__ = ("tenant", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAPITokensResponse(_message.Message):
    __slots__ = ("api_tokens", "next_page_token")
    API_TOKENS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    api_tokens: _containers.RepeatedCompositeFieldContainer[_access_pb2.APIToken]
    next_page_token: str
    def __init__(self, api_tokens: _Optional[_Iterable[_Union[_access_pb2.APIToken, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeAPITokenRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RevokeAPITokenResponse(_message.Message):
    __slots__ = ("api_token", "revision")
    API_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    api_token: _access_pb2.APIToken
    revision: int
    def __init__(self, api_token: _Optional[_Union[_access_pb2.APIToken, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class CreateBanRequest(_message.Message):
    __slots__ = ("tenant", "ban", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    BAN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    ban: _access_pb2.Ban
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., ban: _Optional[_Union[_access_pb2.Ban, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateBanResponse(_message.Message):
    __slots__ = ("ban", "revision")
    BAN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ban: _access_pb2.Ban
    revision: int
    def __init__(self, ban: _Optional[_Union[_access_pb2.Ban, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class EndBanRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EndBanResponse(_message.Message):
    __slots__ = ("ban", "revision")
    BAN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ban: _access_pb2.Ban
    revision: int
    def __init__(self, ban: _Optional[_Union[_access_pb2.Ban, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ListBansRequest(_message.Message):
    __slots__ = ("tenant", "principal", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    principal: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., principal: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBansResponse(_message.Message):
    __slots__ = ("bans", "next_page_token")
    BANS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bans: _containers.RepeatedCompositeFieldContainer[_access_pb2.Ban]
    next_page_token: str
    def __init__(self, bans: _Optional[_Iterable[_Union[_access_pb2.Ban, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
