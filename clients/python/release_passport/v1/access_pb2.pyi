import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BindingOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BINDING_OUTCOME_UNSPECIFIED: _ClassVar[BindingOutcome]
    BINDING_OUTCOME_ALLOWS: _ClassVar[BindingOutcome]
    BINDING_OUTCOME_UNKNOWN_ROLE: _ClassVar[BindingOutcome]
    BINDING_OUTCOME_OTHER_VERBS: _ClassVar[BindingOutcome]
    BINDING_OUTCOME_OTHER_PLACE: _ClassVar[BindingOutcome]
    BINDING_OUTCOME_OTHER_KINDS: _ClassVar[BindingOutcome]
BINDING_OUTCOME_UNSPECIFIED: BindingOutcome
BINDING_OUTCOME_ALLOWS: BindingOutcome
BINDING_OUTCOME_UNKNOWN_ROLE: BindingOutcome
BINDING_OUTCOME_OTHER_VERBS: BindingOutcome
BINDING_OUTCOME_OTHER_PLACE: BindingOutcome
BINDING_OUTCOME_OTHER_KINDS: BindingOutcome

class RoleBinding(_message.Message):
    __slots__ = ("name", "principal", "role", "services", "environments", "evidence_kinds", "create_time", "creator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_KINDS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    principal: str
    role: str
    services: _containers.RepeatedScalarFieldContainer[str]
    environments: _containers.RepeatedScalarFieldContainer[str]
    evidence_kinds: _containers.RepeatedScalarFieldContainer[str]
    create_time: _timestamp_pb2.Timestamp
    creator: str
    def __init__(self, name: _Optional[str] = ..., principal: _Optional[str] = ..., role: _Optional[str] = ..., services: _Optional[_Iterable[str]] = ..., environments: _Optional[_Iterable[str]] = ..., evidence_kinds: _Optional[_Iterable[str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., creator: _Optional[str] = ...) -> None: ...

class Ban(_message.Message):
    __slots__ = ("name", "principal", "credential", "reason", "create_time", "creator", "end_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    principal: str
    credential: str
    reason: str
    create_time: _timestamp_pb2.Timestamp
    creator: str
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., principal: _Optional[str] = ..., credential: _Optional[str] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., creator: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class APIToken(_message.Message):
    __slots__ = ("name", "title", "principal", "expire_time", "create_time", "revoke_time", "creator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    principal: str
    expire_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    creator: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., principal: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., creator: _Optional[str] = ...) -> None: ...

class BindingRuling(_message.Message):
    __slots__ = ("role_binding", "outcome", "rule")
    ROLE_BINDING_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    role_binding: RoleBinding
    outcome: BindingOutcome
    rule: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, role_binding: _Optional[_Union[RoleBinding, _Mapping]] = ..., outcome: _Optional[_Union[BindingOutcome, str]] = ..., rule: _Optional[_Iterable[str]] = ...) -> None: ...

class AccessEntry(_message.Message):
    __slots__ = ("role_binding", "verbs", "evidence_kinds", "group", "banned", "tokens", "tokens_expire_time")
    ROLE_BINDING_FIELD_NUMBER: _ClassVar[int]
    VERBS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_KINDS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    BANNED_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    role_binding: RoleBinding
    verbs: _containers.RepeatedScalarFieldContainer[str]
    evidence_kinds: _containers.RepeatedScalarFieldContainer[str]
    group: bool
    banned: bool
    tokens: int
    tokens_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, role_binding: _Optional[_Union[RoleBinding, _Mapping]] = ..., verbs: _Optional[_Iterable[str]] = ..., evidence_kinds: _Optional[_Iterable[str]] = ..., group: bool = ..., banned: bool = ..., tokens: _Optional[int] = ..., tokens_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
