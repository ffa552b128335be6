from release_passport.v1 import gate_pb2 as _gate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateGateRequest(_message.Message):
    __slots__ = ("tenant", "gate", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    gate: _gate_pb2.Gate
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., gate: _Optional[_Union[_gate_pb2.Gate, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateGateResponse(_message.Message):
    __slots__ = ("gate", "credential", "revision")
    GATE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    gate: _gate_pb2.Gate
    credential: str
    revision: int
    def __init__(self, gate: _Optional[_Union[_gate_pb2.Gate, _Mapping]] = ..., credential: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class GetGateRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetGateResponse(_message.Message):
    __slots__ = ("gate",)
    GATE_FIELD_NUMBER: _ClassVar[int]
    gate: _gate_pb2.Gate
    def __init__(self, gate: _Optional[_Union[_gate_pb2.Gate, _Mapping]] = ...) -> None: ...

class ListGatesRequest(_message.Message):
    __slots__ = ("tenant", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGatesResponse(_message.Message):
    __slots__ = ("gates", "next_page_token")
    GATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gates: _containers.RepeatedCompositeFieldContainer[_gate_pb2.Gate]
    next_page_token: str
    def __init__(self, gates: _Optional[_Iterable[_Union[_gate_pb2.Gate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateGateRequest(_message.Message):
    __slots__ = ("gate", "new_credential", "request_id")
    GATE_FIELD_NUMBER: _ClassVar[int]
    NEW_CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    gate: _gate_pb2.Gate
    new_credential: bool
    request_id: str
    def __init__(self, gate: _Optional[_Union[_gate_pb2.Gate, _Mapping]] = ..., new_credential: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateGateResponse(_message.Message):
    __slots__ = ("gate", "credential", "revision")
    GATE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    gate: _gate_pb2.Gate
    credential: str
    revision: int
    def __init__(self, gate: _Optional[_Union[_gate_pb2.Gate, _Mapping]] = ..., credential: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class DeleteGateRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteGateResponse(_message.Message):
    __slots__ = ("gate", "revision")
    GATE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    gate: _gate_pb2.Gate
    revision: int
    def __init__(self, gate: _Optional[_Union[_gate_pb2.Gate, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetGateHealthRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetGateHealthResponse(_message.Message):
    __slots__ = ("healthy", "answers", "rollouts", "problems")
    HEALTHY_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ROLLOUTS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    healthy: bool
    answers: _containers.RepeatedCompositeFieldContainer[_gate_pb2.GateAnswer]
    rollouts: _containers.RepeatedCompositeFieldContainer[_gate_pb2.GateRollout]
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, healthy: bool = ..., answers: _Optional[_Iterable[_Union[_gate_pb2.GateAnswer, _Mapping]]] = ..., rollouts: _Optional[_Iterable[_Union[_gate_pb2.GateRollout, _Mapping]]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...
