from release_passport.v1 import evidence_pb2 as _evidence_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubmitEvidenceRequest(_message.Message):
    __slots__ = ("tenant", "evidence", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.EvidenceInput]
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.EvidenceInput, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class SubmitEvidenceResponse(_message.Message):
    __slots__ = ("evidence", "revision", "replayed")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.Evidence]
    revision: int
    replayed: bool
    def __init__(self, evidence: _Optional[_Iterable[_Union[_evidence_pb2.Evidence, _Mapping]]] = ..., revision: _Optional[int] = ..., replayed: bool = ...) -> None: ...

class StreamEvidenceRequest(_message.Message):
    __slots__ = ("tenant", "evidence")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.EvidenceInput]
    def __init__(self, tenant: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.EvidenceInput, _Mapping]]] = ...) -> None: ...

class StreamEvidenceResponse(_message.Message):
    __slots__ = ("accepted_count", "refused", "refused_count", "revision")
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    accepted_count: int
    refused: _containers.RepeatedCompositeFieldContainer[RefusedEvidence]
    refused_count: int
    revision: int
    def __init__(self, accepted_count: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[RefusedEvidence, _Mapping]]] = ..., refused_count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class CollectAttestationsRequest(_message.Message):
    __slots__ = ("release", "images")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    release: str
    images: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, release: _Optional[str] = ..., images: _Optional[_Iterable[str]] = ...) -> None: ...

class CollectAttestationsResponse(_message.Message):
    __slots__ = ("images", "evidence", "revision")
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[CollectedImage]
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.Evidence]
    revision: int
    def __init__(self, images: _Optional[_Iterable[_Union[CollectedImage, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[_evidence_pb2.Evidence, _Mapping]]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetEvidenceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetEvidenceResponse(_message.Message):
    __slots__ = ("evidence",)
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    evidence: _evidence_pb2.Evidence
    def __init__(self, evidence: _Optional[_Union[_evidence_pb2.Evidence, _Mapping]] = ...) -> None: ...

class ListEvidenceRequest(_message.Message):
    __slots__ = ("tenant", "kind", "subject", "release", "source", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    kind: str
    subject: _evidence_pb2.EvidenceSubject
    release: str
    source: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., kind: _Optional[str] = ..., subject: _Optional[_Union[_evidence_pb2.EvidenceSubject, _Mapping]] = ..., release: _Optional[str] = ..., source: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEvidenceResponse(_message.Message):
    __slots__ = ("evidence", "next_page_token")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    evidence: _containers.RepeatedCompositeFieldContainer[_evidence_pb2.Evidence]
    next_page_token: str
    def __init__(self, evidence: _Optional[_Iterable[_Union[_evidence_pb2.Evidence, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeEvidenceRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RevokeEvidenceResponse(_message.Message):
    __slots__ = ("evidence", "revision")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    evidence: _evidence_pb2.Evidence
    revision: int
    def __init__(self, evidence: _Optional[_Union[_evidence_pb2.Evidence, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class RefusedEvidence(_message.Message):
    __slots__ = ("index", "reason", "message")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    index: int
    reason: str
    message: str
    def __init__(self, index: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class CollectedImage(_message.Message):
    __slots__ = ("image", "complete", "attestations", "problems")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    image: str
    complete: bool
    attestations: _containers.RepeatedCompositeFieldContainer[CollectedAttestation]
    problems: _containers.RepeatedCompositeFieldContainer[CollectionProblem]
    def __init__(self, image: _Optional[str] = ..., complete: bool = ..., attestations: _Optional[_Iterable[_Union[CollectedAttestation, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[CollectionProblem, _Mapping]]] = ...) -> None: ...

class CollectedAttestation(_message.Message):
    __slots__ = ("digest", "place", "predicate_type", "kind", "evidence", "reason", "message")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PREDICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    place: str
    predicate_type: str
    kind: str
    evidence: str
    reason: str
    message: str
    def __init__(self, digest: _Optional[str] = ..., place: _Optional[str] = ..., predicate_type: _Optional[str] = ..., kind: _Optional[str] = ..., evidence: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class CollectionProblem(_message.Message):
    __slots__ = ("where", "message")
    WHERE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    where: str
    message: str
    def __init__(self, where: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
