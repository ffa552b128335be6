// Made by generate.py; do not edit.

import { AccessService } from "./release_passport/v1/access_service_pb.js";
import { ApprovalService } from "./release_passport/v1/approval_service_pb.js";
import { AuditService } from "./release_passport/v1/audit_service_pb.js";
import { CatalogService } from "./release_passport/v1/catalog_service_pb.js";
import { ConnectorService } from "./release_passport/v1/connector_service_pb.js";
import { DecisionService } from "./release_passport/v1/decision_service_pb.js";
import { EvidenceService } from "./release_passport/v1/evidence_service_pb.js";
import { FreezeService } from "./release_passport/v1/freeze_service_pb.js";
import { GateService } from "./release_passport/v1/gate_service_pb.js";
import { GroupService } from "./release_passport/v1/group_service_pb.js";
import { JobService } from "./release_passport/v1/job_service_pb.js";
import { NotificationService } from "./release_passport/v1/notification_service_pb.js";
import { OverrideService } from "./release_passport/v1/override_service_pb.js";
import { PermitService } from "./release_passport/v1/permit_service_pb.js";
import { PolicyService } from "./release_passport/v1/policy_service_pb.js";
import { ReleaseService } from "./release_passport/v1/release_service_pb.js";
import { TenantService } from "./release_passport/v1/tenant_service_pb.js";
import { TrustService } from "./release_passport/v1/trust_service_pb.js";
import { WaiverService } from "./release_passport/v1/waiver_service_pb.js";
import { WatchWindowService } from "./release_passport/v1/watch_window_service_pb.js";

/** Every service of the contract. */
export const services = [
  AccessService,
  ApprovalService,
  AuditService,
  CatalogService,
  ConnectorService,
  DecisionService,
  EvidenceService,
  FreezeService,
  GateService,
  GroupService,
  JobService,
  NotificationService,
  OverrideService,
  PermitService,
  PolicyService,
  ReleaseService,
  TenantService,
  TrustService,
  WaiverService,
  WatchWindowService,
] as const;
