"""What evidence is about, as a message and as a type with a value."""

from __future__ import annotations

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType

_FIELDS = {
    SubjectType.ARTIFACT: "artifact_digest",
    SubjectType.SOURCE: "source_revision",
    SubjectType.MANIFEST: "manifest_digest",
    SubjectType.RELEASE: "release",
    SubjectType.ATTEMPT: "attempt",
    SubjectType.WORKLOAD: "workload",
}
_TYPES = {field: subject for subject, field in _FIELDS.items()}


def subject_type(subject: evidence_pb2.EvidenceSubject) -> SubjectType:
    """Return what the subject is; raise ValueError if none is set."""
    return _TYPES[_field_set(subject)]


def subject_of(subject: evidence_pb2.EvidenceSubject) -> Subject:
    """Return the digest, the revision, the resource name, or `service/environment`; ValueError if none is set."""
    name = _field_set(subject)
    if name == "workload":
        return Subject(SubjectType.WORKLOAD, f"{subject.workload.service}/{subject.workload.environment}")
    return Subject(_TYPES[name], getattr(subject, name))


def subject_proto(type_: SubjectType, value: str) -> evidence_pb2.EvidenceSubject:
    """Return the message of a subject."""
    subject = evidence_pb2.EvidenceSubject()
    if type_ is SubjectType.WORKLOAD:
        subject.workload.service, _, subject.workload.environment = value.partition("/")
    else:
        setattr(subject, _FIELDS[type_], value)
    return subject


def _field_set(subject: evidence_pb2.EvidenceSubject) -> str:
    name = subject.WhichOneof("subject")
    if name is None:
        raise ValueError("the evidence has no subject")
    return str(name)
