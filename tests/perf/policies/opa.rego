# The twelve questions of the policies beside this file, for the comparison with OPA.
package bench

import input.evidence as e

findings contains {"rule": "built-by-trusted-builder"} if {
	e.provenance.build_trigger != "pull_request"
	e.provenance.source_ref == "refs/heads/main"
}

findings contains {"rule": "no-serious-vulnerabilities"} if {
	e.vulnerability_scan.critical == 0
	e.vulnerability_scan.known_exploited == 0
	every finding in e.vulnerability_scan.findings { finding.severity != "VULNERABILITY_SEVERITY_CRITICAL" }
}

findings contains {"rule": "tests-pass"} if {
	e.test_result.passed > 0
	e.test_result.failed == 0
	e.test_result.errored == 0
	e.test_result.coverage_percent >= 60
}

findings contains {"rule": "images-are-pinned"} if {
	e.manifest_render.object_count > 0
	e.manifest_render.unpinned_images == 0
}

findings contains {"rule": "synced-and-healthy"} if {
	e.gitops_sync.sync_state == "SYNC_STATE_SYNCED"
	e.gitops_sync.operation_state == "OPERATION_STATE_SUCCEEDED"
	e.gitops_sync.health == "HEALTH_STATE_HEALTHY"
	not e.gitops_sync.suspended
}

findings contains {"rule": "change-is-approved"} if {
	e.change_ticket.approved
	e.change_ticket.state == "CHANGE_TICKET_STATE_APPROVED"
	time.parse_rfc3339_ns(e.change_ticket.window_end_time) > time.now_ns()
}

findings contains {"rule": "workload-is-healthy"} if {
	e.runtime_health.ready_replicas >= e.runtime_health.desired_replicas
	e.runtime_health.crash_looping_containers == 0
	e.runtime_health.image_pull_failures == 0
	e.runtime_health.observed_generation_current
}

findings contains {"rule": "latency-is-good"} if {
	e.metric_sample.value < 500
	e.metric_sample.value <= e.metric_sample.baseline_value * 1.5
}

findings contains {"rule": "no-serious-incident"} if {
	e.incident_state.sev1 == 0
	e.incident_state.sev2 == 0
	e.incident_state.unclassified == 0
}

findings contains {"rule": "way-back-is-ready"} if {
	e.rollback_readiness.ready
	e.rollback_readiness.pullable
	e.rollback_readiness.verified
	e.rollback_readiness.migration_reversible
}

findings contains {"rule": "canary-is-possible"} if {
	e.rollout_status.step_count >= 2
	not e.rollout_status.aborted
	e.rollout_status.phase != "ROLLOUT_PHASE_FAILED"
}

findings contains {"rule": "switches-are-off"} if {
	every flag in e.feature_flag_state.flags { flag_is_low(flag) }
}

flag_is_low(flag) if not flag.enabled

flag_is_low(flag) if flag.rollout_percent <= 50

allow if count(findings) == 12
