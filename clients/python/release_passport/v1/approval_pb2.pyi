import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import decision_pb2 as _decision_pb2
from release_passport.v1 import release_pb2 as _release_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ApprovalDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    APPROVAL_DECISION_UNSPECIFIED: _ClassVar[ApprovalDecision]
    APPROVAL_DECISION_APPROVE: _ClassVar[ApprovalDecision]
    APPROVAL_DECISION_REJECT: _ClassVar[ApprovalDecision]
APPROVAL_DECISION_UNSPECIFIED: ApprovalDecision
APPROVAL_DECISION_APPROVE: ApprovalDecision
APPROVAL_DECISION_REJECT: ApprovalDecision

class Approval(_message.Message):
    __slots__ = ("name", "release", "policy", "rule", "vote", "group", "voter", "reason", "decision", "release_digest", "rule_digest", "create_time", "expire_time", "end_time", "ended_by", "end_reason", "counts", "not_counting")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    VOTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    RELEASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RULE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    NOT_COUNTING_FIELD_NUMBER: _ClassVar[int]
    name: str
    release: str
    policy: str
    rule: str
    vote: ApprovalDecision
    group: str
    voter: str
    reason: str
    decision: str
    release_digest: str
    rule_digest: str
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    ended_by: str
    end_reason: str
    counts: bool
    not_counting: str
    def __init__(self, name: _Optional[str] = ..., release: _Optional[str] = ..., policy: _Optional[str] = ..., rule: _Optional[str] = ..., vote: _Optional[_Union[ApprovalDecision, str]] = ..., group: _Optional[str] = ..., voter: _Optional[str] = ..., reason: _Optional[str] = ..., decision: _Optional[str] = ..., release_digest: _Optional[str] = ..., rule_digest: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_by: _Optional[str] = ..., end_reason: _Optional[str] = ..., counts: bool = ..., not_counting: _Optional[str] = ...) -> None: ...

class ApprovalRequest(_message.Message):
    __slots__ = ("release", "policy", "rule", "title", "decision", "finding", "other_findings", "subject", "previous", "previous_subject", "authors", "authors_known", "approvals", "your_groups", "why_not", "etag", "ask_time")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    OTHER_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_KNOWN_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    YOUR_GROUPS_FIELD_NUMBER: _ClassVar[int]
    WHY_NOT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ASK_TIME_FIELD_NUMBER: _ClassVar[int]
    release: str
    policy: str
    rule: str
    title: str
    decision: str
    finding: _decision_pb2.Finding
    other_findings: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Finding]
    subject: _release_pb2.Release
    previous: str
    previous_subject: _release_pb2.Release
    authors: _containers.RepeatedScalarFieldContainer[str]
    authors_known: bool
    approvals: _containers.RepeatedCompositeFieldContainer[Approval]
    your_groups: _containers.RepeatedScalarFieldContainer[str]
    why_not: str
    etag: str
    ask_time: _timestamp_pb2.Timestamp
    def __init__(self, release: _Optional[str] = ..., policy: _Optional[str] = ..., rule: _Optional[str] = ..., title: _Optional[str] = ..., decision: _Optional[str] = ..., finding: _Optional[_Union[_decision_pb2.Finding, _Mapping]] = ..., other_findings: _Optional[_Iterable[_Union[_decision_pb2.Finding, _Mapping]]] = ..., subject: _Optional[_Union[_release_pb2.Release, _Mapping]] = ..., previous: _Optional[str] = ..., previous_subject: _Optional[_Union[_release_pb2.Release, _Mapping]] = ..., authors: _Optional[_Iterable[str]] = ..., authors_known: bool = ..., approvals: _Optional[_Iterable[_Union[Approval, _Mapping]]] = ..., your_groups: _Optional[_Iterable[str]] = ..., why_not: _Optional[str] = ..., etag: _Optional[str] = ..., ask_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
