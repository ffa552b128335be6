import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaiverState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIVER_STATE_UNSPECIFIED: _ClassVar[WaiverState]
    WAIVER_STATE_REQUESTED: _ClassVar[WaiverState]
    WAIVER_STATE_ACTIVE: _ClassVar[WaiverState]
    WAIVER_STATE_EXPIRING: _ClassVar[WaiverState]
    WAIVER_STATE_EXPIRED: _ClassVar[WaiverState]
    WAIVER_STATE_ENDED: _ClassVar[WaiverState]
    WAIVER_STATE_ORPHANED: _ClassVar[WaiverState]
WAIVER_STATE_UNSPECIFIED: WaiverState
WAIVER_STATE_REQUESTED: WaiverState
WAIVER_STATE_ACTIVE: WaiverState
WAIVER_STATE_EXPIRING: WaiverState
WAIVER_STATE_EXPIRED: WaiverState
WAIVER_STATE_ENDED: WaiverState
WAIVER_STATE_ORPHANED: WaiverState

class Waiver(_message.Message):
    __slots__ = ("name", "release", "service", "environment", "policy", "rule", "finding_reason", "artifact", "key", "fingerprint", "owner", "ticket", "reason", "requester", "granter", "create_time", "grant_time", "expire_time", "end_time", "ended_by", "end_reason", "state")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    FINDING_REASON_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    GRANTER_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    GRANT_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    release: str
    service: str
    environment: str
    policy: str
    rule: str
    finding_reason: str
    artifact: str
    key: str
    fingerprint: str
    owner: str
    ticket: str
    reason: str
    requester: str
    granter: str
    create_time: _timestamp_pb2.Timestamp
    grant_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    ended_by: str
    end_reason: str
    state: WaiverState
    def __init__(self, name: _Optional[str] = ..., release: _Optional[str] = ..., service: _Optional[str] = ..., environment: _Optional[str] = ..., policy: _Optional[str] = ..., rule: _Optional[str] = ..., finding_reason: _Optional[str] = ..., artifact: _Optional[str] = ..., key: _Optional[str] = ..., fingerprint: _Optional[str] = ..., owner: _Optional[str] = ..., ticket: _Optional[str] = ..., reason: _Optional[str] = ..., requester: _Optional[str] = ..., granter: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., grant_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_by: _Optional[str] = ..., end_reason: _Optional[str] = ..., state: _Optional[_Union[WaiverState, str]] = ...) -> None: ...
