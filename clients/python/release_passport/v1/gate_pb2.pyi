import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GateController(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_CONTROLLER_UNSPECIFIED: _ClassVar[GateController]
    GATE_CONTROLLER_FLAGGER: _ClassVar[GateController]
    GATE_CONTROLLER_ARGO_ROLLOUTS: _ClassVar[GateController]

class GateOnRollback(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_ON_ROLLBACK_UNSPECIFIED: _ClassVar[GateOnRollback]
    GATE_ON_ROLLBACK_RECOMMEND: _ClassVar[GateOnRollback]
    GATE_ON_ROLLBACK_EXECUTE: _ClassVar[GateOnRollback]

class GateOnSkip(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_ON_SKIP_UNSPECIFIED: _ClassVar[GateOnSkip]
    GATE_ON_SKIP_REPORT: _ClassVar[GateOnSkip]
    GATE_ON_SKIP_STOP: _ClassVar[GateOnSkip]

class GateTrust(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_TRUST_UNSPECIFIED: _ClassVar[GateTrust]
    GATE_TRUST_CREDENTIAL: _ClassVar[GateTrust]
    GATE_TRUST_NETWORK: _ClassVar[GateTrust]
GATE_CONTROLLER_UNSPECIFIED: GateController
GATE_CONTROLLER_FLAGGER: GateController
GATE_CONTROLLER_ARGO_ROLLOUTS: GateController
GATE_ON_ROLLBACK_UNSPECIFIED: GateOnRollback
GATE_ON_ROLLBACK_RECOMMEND: GateOnRollback
GATE_ON_ROLLBACK_EXECUTE: GateOnRollback
GATE_ON_SKIP_UNSPECIFIED: GateOnSkip
GATE_ON_SKIP_REPORT: GateOnSkip
GATE_ON_SKIP_STOP: GateOnSkip
GATE_TRUST_UNSPECIFIED: GateTrust
GATE_TRUST_CREDENTIAL: GateTrust
GATE_TRUST_NETWORK: GateTrust

class Gate(_message.Message):
    __slots__ = ("name", "title", "controller", "cluster", "namespace", "object_name", "object_uid", "service", "environment", "hooks", "on_rollback", "trust", "injected_containers", "creator", "create_time", "update_time", "delete_time", "etag", "on_skip")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    OBJECT_NAME_FIELD_NUMBER: _ClassVar[int]
    OBJECT_UID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    HOOKS_FIELD_NUMBER: _ClassVar[int]
    ON_ROLLBACK_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    INJECTED_CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ON_SKIP_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    controller: GateController
    cluster: str
    namespace: str
    object_name: str
    object_uid: str
    service: str
    environment: str
    hooks: _containers.RepeatedScalarFieldContainer[str]
    on_rollback: GateOnRollback
    trust: GateTrust
    injected_containers: _containers.RepeatedScalarFieldContainer[str]
    creator: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    etag: str
    on_skip: GateOnSkip
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., controller: _Optional[_Union[GateController, str]] = ..., cluster: _Optional[str] = ..., namespace: _Optional[str] = ..., object_name: _Optional[str] = ..., object_uid: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., hooks: _Optional[_Iterable[str]] = ..., on_rollback: _Optional[_Union[GateOnRollback, str]] = ..., trust: _Optional[_Union[GateTrust, str]] = ..., injected_containers: _Optional[_Iterable[str]] = ..., creator: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., on_skip: _Optional[_Union[GateOnSkip, str]] = ...) -> None: ...

class GateAnswer(_message.Message):
    __slots__ = ("hook", "digests", "release", "answer", "reasons", "decision", "effective_verdict", "first_time", "change_time")
    HOOK_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    hook: str
    digests: _containers.RepeatedScalarFieldContainer[str]
    release: str
    answer: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    decision: str
    effective_verdict: _verdict_pb2.Verdict
    first_time: _timestamp_pb2.Timestamp
    change_time: _timestamp_pb2.Timestamp
    def __init__(self, hook: _Optional[str] = ..., digests: _Optional[_Iterable[str]] = ..., release: _Optional[str] = ..., answer: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ..., decision: _Optional[str] = ..., effective_verdict: _Optional[_Union[_verdict_pb2.Verdict, str]] = ..., first_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GateRollout(_message.Message):
    __slots__ = ("attempt", "asked")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    attempt: str
    asked: bool
    def __init__(self, attempt: _Optional[str] = ..., asked: bool = ...) -> None: ...
