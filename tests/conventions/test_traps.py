"""What others got wrong: each trap has tests that keep this project out of it, or a reason why it cannot be met yet."""

from __future__ import annotations

import ast

import pytest

from support.tree import ROOT, parsed

LAST = 34
DECIDE, LAWS = "unit/test_decide.py::", "unit/test_decide_laws.py::"
EXIT, AUTHORITY, BAD = (
    "conformance/test_exit_codes.py::",
    "integration/test_authority.py::",
    "integration/test_bad_input.py::",
)
SESSION, TRUST = "e2e/test_cli_session.py::", "integration/test_trust.py::"
JUDGING, COMMIT = "contract/test_store_judging.py::", "contract/test_group_commit.py::"

# The number of the trap, what went wrong elsewhere, and the tests of it here.
COVERED: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "exit code 0 on a failed check",
        (
            f"{EXIT}test_each_verdict_has_its_code_in_every_form",
            f"{EXIT}test_each_error_has_its_code_and_prints_no_result",
            f"{SESSION}test_no_error_is_a_verdict",
        ),
    ),
    2: (
        "open on a time-out, an error or an empty rule set",
        (
            f"{DECIDE}test_no_policy_holds",
            f"{DECIDE}test_no_rule_holds",
            f"{EXIT}test_nobody_listening_is_unreachable",
            f"{TRUST}test_a_service_without_policies_is_held",
        ),
    ),
    3: (
        "an undefined reference passes",
        (
            "unit/test_cel_missing_data.py::test_an_absent_field_is_named_and_nothing_is_evaluated",
            f"{DECIDE}test_an_absent_fact_holds_and_names_its_path",
            f"{DECIDE}test_an_expression_that_fails_holds",
        ),
    ),
    4: (
        "a typo in a name or a glob checks nothing and succeeds",
        (
            f"{DECIDE}test_no_artifact_that_matches_holds",
            f"{DECIDE}test_an_exact_key_is_required",
            "integration/test_policies.py::test_validation_warns_of_what_weakens_a_policy",
            f"{TRUST}test_a_release_of_what_is_not_registered_is_held",
        ),
    ),
    5: (
        "policy is loaded once at start",
        (
            "contract/test_store_catalog.py::test_a_revision_that_was_rolled_back_is_never_judged_by",
            "contract/test_store_catalog.py::test_a_case_has_its_place_and_all_active_policies",
        ),
    ),
    6: (
        "a flag that weakens a check is invisible",
        (
            "unit/test_cli_render.py::test_weakenings_and_development_mode_are_loud",
            f"{EXIT}test_exit_zero_is_zero_and_loud",
        ),
    ),
    7: (
        "the caller's time demotes failures",
        (
            f"{DECIDE}test_age_counts_from_the_older_of_observed_and_received",
            f"{BAD}test_facts_from_the_future_are_refused_alone_and_with_a_question",
            f"{JUDGING}test_time_never_goes_back_along_revisions",
        ),
    ),
    8: (
        "the caller leaves the bad artifact out",
        (
            f"{DECIDE}test_every_artifact_needs_evidence_of_its_own",
            f"{TRUST}test_the_same_version_with_another_image_is_refused",
        ),
    ),
    9: (
        "healthy for a moment between sync and action",
        (
            f"{DECIDE}test_facts_that_have_not_held_long_enough_settle",
            f"{DECIDE}test_a_break_in_the_run_starts_settling_again",
            f"{DECIDE}test_evidence_about_something_else_does_not_count",
        ),
    ),
    10: (
        "a metric failed, later succeeded, and the bad build went out",
        (
            f"{DECIDE}test_a_recommended_rollback_stands_whatever_later_samples_say",
            f"{DECIDE}test_the_same_digests_need_people_after_they_degraded",
            "contract/test_store_releases.py::test_a_latch_stands_on_its_digests",
        ),
    ),
    11: (
        "no values found: halts, or always passes",
        (
            f"{DECIDE}test_too_few_samples_are_missing_evidence",
            f"{DECIDE}test_no_evidence_holds_and_says_who_can_send_it",
            f"{BAD}test_a_number_that_is_not_finite_is_stored_as_no_value",
        ),
    ),
    12: (
        "an inconclusive analysis is repeated until it passes",
        (
            f"{DECIDE}test_an_inconclusive_analysis_holds_and_latches",
            f"{DECIDE}test_running_again_until_green_needs_retries",
        ),
    ),
    14: (
        "what was granted carries over to another digest behind the same tag",
        (
            f"{DECIDE}test_evidence_about_something_else_does_not_count",
            f"{BAD}test_all_that_is_wrong_is_said_at_once",
        ),
    ),
    19: (
        "records vanish",
        (
            f"{JUDGING}test_a_decision_is_recorded_with_what_it_saw",
            "integration/test_replay.py::test_later_evidence_policies_and_revocations_do_not_change_a_replay",
        ),
    ),
    20: (
        "decision logs are dropped under load",
        (
            f"{JUDGING}test_inline_evidence_and_the_release_are_stored_with_the_decision",
            f"{COMMIT}test_what_is_queued_is_written_before_the_store_closes",
            "integration/test_server_calls.py::test_calls_beyond_the_limit_are_refused_at_once",
        ),
    ),
    21: (
        "readers miss rows that commit out of order",
        (
            "integration/test_ordering_processes.py::test_a_live_reader_sees_every_revision_once_and_in_order",
            "integration/test_ordering_processes.py::test_the_same_reader_misses_events_that_a_counter_numbers",
            f"{COMMIT}test_revisions_are_dense_and_in_the_order_of_the_queue",
        ),
    ),
    23: (
        "mutable evidence",
        (
            f"{DECIDE}test_a_revoked_item_is_missing_and_uncovers_no_older_one",
            "contract/test_store_evidence.py::test_a_revoked_item_stays_with_its_revocation",
            f"{AUTHORITY}test_evidence_is_revoked_by_who_may_wherever_it_counts",
        ),
    ),
    29: (
        "every edge applies other rules",
        (
            "integration/test_http.py::test_the_same_violations_are_shown_as_over_grpc",
            "integration/test_http.py::test_every_method_but_streams_of_requests_has_its_path",
            "e2e/test_demo.py::test_the_story_is_told_in_order",
        ),
    ),
    30: (
        "a query for each row",
        (
            f"{COMMIT}test_the_statements_of_a_batch_do_not_grow_with_its_questions",
            "contract/test_schema.py::test_no_hot_statement_reads_a_whole_table",
        ),
    ),
    32: (
        "a way out of the tenant through a name, a filter or a token",
        (
            f"{AUTHORITY}test_another_tenants_names_are_as_absent_as_those_of_none",
            f"{AUTHORITY}test_page_tokens_from_elsewhere_are_refused",
            "contract/test_schema.py::test_the_tenant_comes_first_in_every_key_and_index",
        ),
    ),
    33: (
        "bombs in expressions, YAML, JSON and protobuf",
        (
            "unit/test_cel_hostile.py::test_a_bomb_is_refused_with_a_place",
            f"{BAD}test_every_field_of_every_method_made_hostile_is_refused_in_its_place",
            f"{BAD}test_lists_that_would_take_hours_are_refused_by_their_length",
            f"{BAD}test_json_of_the_wrong_form_is_refused",
            f"{BAD}test_a_message_of_five_mebibytes_is_refused_on_both_edges",
        ),
    ),
    31: (
        "waivers without owner or end",
        (
            "integration/test_waivers.py::test_a_waiver_ends_within_the_policy_s_time",
            "integration/test_waivers.py::test_who_may_neither_ask_nor_make_releases_asks_for_no_waiver",
            "integration/test_waivers.py::test_a_waiver_is_granted_by_a_person_who_neither_asked_nor_made_the_release",
            "integration/test_waivers.py::test_a_waiver_whose_rule_says_something_else_is_listed_as_orphaned",
        ),
    ),
    34: (
        "notices on standard output",
        ("unit/test_cli_render.py::test_notices_go_to_standard_error_and_quiet_silences_them",),
    ),
}

# The number of the trap, and why there is nothing here that could fall into it.
OUT_OF_SCOPE = {
    13: "no connector fetches anything yet, so there is no collector whose time-out could fail a rollout",
    15: "there are no votes yet: a verdict of REQUIRE_APPROVAL stays until the evidence changes",
    16: "there are no approval objects yet; the verb approve exists and nothing is granted through another one",
    17: "there are no freezes yet, so none can be lifted or block a rollback",
    18: "gate --wait polls for now; callbacks and streams that end the wait come later",
    22: "there is no watch stream yet, so there is nothing to resume",
    24: "keyless trust with a root and a log is not built yet: only registered keys verify, without any look-up",
    25: "registered keys have no validity periods; certificates and logs are not read yet",
    26: "no verification summary is issued yet",
    27: "nothing runs inside an admission path yet",
    28: "no registry is called: what a decision needs is in the store",
}


def _tests(file: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(parsed(ROOT / "tests" / file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_trap_is_covered_or_out_of_scope_for_a_reason() -> None:
    assert sorted([*COVERED, *OUT_OF_SCOPE]) == list(range(1, LAST + 1))
    assert all(len(reason) > 30 for reason in OUT_OF_SCOPE.values())


@pytest.mark.parametrize("trap", COVERED, ids=lambda trap: f"{trap} {COVERED[trap][0]}")
def test_the_tests_of_a_trap_exist(trap: int) -> None:
    for test in COVERED[trap][1]:
        file, _, name = test.partition("::")
        assert (ROOT / "tests" / file).is_file(), file
        assert name in _tests(file), test
