"""The calls about what proves things: attestations, trust, permits, the audit log and exported passports."""

from __future__ import annotations

from collections.abc import Iterator

from release_passport.connection import Connection
from release_passport.v1 import (
    audit_service_pb2,
    evidence_service_pb2,
    permit_service_pb2,
    release_service_pb2,
    trust_service_pb2,
)


class ProofCalls(Connection):
    """A part of the client; each method is one RPC."""

    def export_passport(
        self, request: release_service_pb2.ExportPassportRequest, *, timeout: float | None = None
    ) -> release_service_pb2.ExportPassportResponse:
        """Return all of a release with what proves it, to be checked offline."""
        return self.call(
            "ReleaseService/ExportPassport", request, release_service_pb2.ExportPassportResponse, timeout
        )

    def collect_attestations(
        self, request: evidence_service_pb2.CollectAttestationsRequest, *, timeout: float | None = None
    ) -> evidence_service_pb2.CollectAttestationsResponse:
        """Have the attestations of a release's images read from their registries, and return what they prove."""
        return self.call(
            "EvidenceService/CollectAttestations",
            request,
            evidence_service_pb2.CollectAttestationsResponse,
            timeout,
        )

    def list_duties(
        self, request: audit_service_pb2.ListDutiesRequest, *, timeout: float | None = None
    ) -> audit_service_pb2.ListDutiesResponse:
        """Return who did what about releases, newest first, and what of it is in conflict."""
        return self.call("AuditService/ListDuties", request, audit_service_pb2.ListDutiesResponse, timeout)

    def redeem_permit(
        self, request: permit_service_pb2.RedeemPermitRequest, *, timeout: float | None = None
    ) -> permit_service_pb2.RedeemPermitResponse:
        """Use a permit, once."""
        return self.call(
            "PermitService/RedeemPermit", request, permit_service_pb2.RedeemPermitResponse, timeout
        )

    def report_enforcement(
        self, request: permit_service_pb2.ReportEnforcementRequest, *, timeout: float | None = None
    ) -> permit_service_pb2.ReportEnforcementResponse:
        """Record what was done with a decision."""
        return self.call(
            "PermitService/ReportEnforcement", request, permit_service_pb2.ReportEnforcementResponse, timeout
        )

    def get_trust(
        self, request: trust_service_pb2.GetTrustRequest, *, timeout: float | None = None
    ) -> trust_service_pb2.GetTrustResponse:
        """Return what the tenant trusts."""
        return self.call("TrustService/GetTrust", request, trust_service_pb2.GetTrustResponse, timeout)

    def update_trust(
        self, request: trust_service_pb2.UpdateTrustRequest, *, timeout: float | None = None
    ) -> trust_service_pb2.UpdateTrustResponse:
        """Write a new revision of what the tenant trusts."""
        return self.call("TrustService/UpdateTrust", request, trust_service_pb2.UpdateTrustResponse, timeout)

    def list_trust_revisions(
        self, request: trust_service_pb2.ListTrustRevisionsRequest, *, timeout: float | None = None
    ) -> trust_service_pb2.ListTrustRevisionsResponse:
        """List revisions of what the tenant trusts, newest first."""
        return self.call(
            "TrustService/ListTrustRevisions", request, trust_service_pb2.ListTrustRevisionsResponse, timeout
        )

    def list_audit_entries(
        self, request: audit_service_pb2.ListAuditEntriesRequest, *, timeout: float | None = None
    ) -> audit_service_pb2.ListAuditEntriesResponse:
        """List the audit log, oldest first."""
        return self.call(
            "AuditService/ListAuditEntries", request, audit_service_pb2.ListAuditEntriesResponse, timeout
        )

    def stream_audit_entries(
        self, request: audit_service_pb2.StreamAuditEntriesRequest, *, timeout: float | None = None
    ) -> Iterator[audit_service_pb2.StreamAuditEntriesResponse]:
        """Yield the audit log from a leaf on, and what is added to it, until the iterator is closed."""
        return self.stream(
            "AuditService/StreamAuditEntries",
            request,
            audit_service_pb2.StreamAuditEntriesResponse,
            timeout,
        )

    def get_checkpoint(
        self, request: audit_service_pb2.GetCheckpointRequest, *, timeout: float | None = None
    ) -> audit_service_pb2.GetCheckpointResponse:
        """Return the newest signed checkpoint of the log."""
        return self.call(
            "AuditService/GetCheckpoint", request, audit_service_pb2.GetCheckpointResponse, timeout
        )

    def get_inclusion_proof(
        self, request: audit_service_pb2.GetInclusionProofRequest, *, timeout: float | None = None
    ) -> audit_service_pb2.GetInclusionProofResponse:
        """Return the proof that an entry stands in the log."""
        return self.call(
            "AuditService/GetInclusionProof", request, audit_service_pb2.GetInclusionProofResponse, timeout
        )

    def get_consistency_proof(
        self, request: audit_service_pb2.GetConsistencyProofRequest, *, timeout: float | None = None
    ) -> audit_service_pb2.GetConsistencyProofResponse:
        """Return what leads from an older checkpoint to the newest one."""
        return self.call(
            "AuditService/GetConsistencyProof",
            request,
            audit_service_pb2.GetConsistencyProofResponse,
            timeout,
        )

    def get_log_files(
        self, request: audit_service_pb2.GetLogFilesRequest, *, timeout: float | None = None
    ) -> audit_service_pb2.GetLogFilesResponse:
        """Return tiles and entry bundles of the log."""
        return self.call("AuditService/GetLogFiles", request, audit_service_pb2.GetLogFilesResponse, timeout)
