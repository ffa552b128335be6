"""`passport access check`, `explain` and `review`: answers as exit codes, reasons, and a report without formulas."""

from __future__ import annotations

import csv
import io

import pytest

from release_passport.v1 import access_pb2, access_service_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.fake_server import FakeServer

__all__ = ["connected", "fake", "passport"]

EVIL = '=HYPERLINK("http://evil.example","x")'
BINDING = access_pb2.RoleBinding(name="tenants/acme/roleBindings/01H", principal="sa:ci", role="submitter")


@pytest.fixture
def line(connected: CommandLine, fake: FakeServer) -> CommandLine:
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(tenant="acme"))
    return connected


def test_no_is_exit_code_one_with_its_reasons(line: CommandLine, fake: FakeServer) -> None:
    ruling = access_pb2.BindingRuling(
        role_binding=BINDING,
        outcome=access_pb2.BINDING_OUTCOME_OTHER_PLACE,
        rule=["role:submitter|checkout|*|*", "acme", "checkout"],
    )
    answer = access_service_pb2.CheckAccessResponse(explanation="sa:ci may not", bindings=[ruling])
    fake.reply("CheckAccess", answer)
    result = line("access", "explain", "submit", "--principal", "sa:ci", "--service", "billing")
    assert result.code == 1
    assert result.out.splitlines()[:2] == ["no", "sa:ci may not"]
    assert "other place" in result.out
    assert "p, role:submitter|checkout|*|*, acme, checkout" in result.out
    (asked,) = fake.asked("CheckAccess")
    assert (asked.verb, asked.service, asked.explain) == ("submit", "billing", True)


def test_yes_is_exit_code_zero(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("CheckAccess", access_service_pb2.CheckAccessResponse(allowed=True))
    result = line("access", "check", "read", "--principal", "user:corp/ada", "--group", "group:corp/ops")
    assert (result.code, result.out) == (0, "yes\n")
    (asked,) = fake.asked("CheckAccess")
    assert (list(asked.groups), asked.explain) == (["group:corp/ops"], False)


def test_a_review_for_a_spreadsheet_has_a_row_for_each_binding_and_no_formula(
    line: CommandLine, fake: FakeServer
) -> None:
    entry = access_pb2.AccessEntry(role_binding=BINDING, verbs=["read", "submit"], tokens=2)
    entry.role_binding.creator = EVIL
    entry.tokens_expire_time.FromJsonString("2027-01-02T03:04:05Z")
    fake.reply("ReviewAccess", access_service_pb2.ReviewAccessResponse(access=[entry]))
    (row,) = csv.DictReader(io.StringIO(line("access", "review", "-o", "csv").out, newline=""))
    assert (row["principal"], row["role"], row["where"]) == ("sa:ci", "submitter", "everywhere")
    assert (row["may"], row["tokens"], row["tokens_end"]) == ("read submit", "2", "2027-01-02T03:04:05Z")
    assert row["granted_by"] == f"'{EVIL}"
