"""`passport audit duties`: the same report as a table, as CSV without formulas, and as Markdown."""

from __future__ import annotations

import csv
import io
import json

import pytest

from release_passport.v1 import access_service_pb2, audit_pb2, audit_service_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.fake_server import FakeServer

__all__ = ["connected", "fake", "passport"]

NAME = "tenants/acme/services/checkout/environments/prod/releases/1.4.2"
EVIL = '=HYPERLINK("http://evil.example","x")'


def told(author: str = "user:dev") -> audit_pb2.ReleaseDuties:
    return audit_pb2.ReleaseDuties(
        release=NAME,
        duties=[
            audit_pb2.DutyDone(duty=audit_pb2.DUTY_CREATED, principal="sa:ci"),
            audit_pb2.DutyDone(duty=audit_pb2.DUTY_AUTHORED, principal=author),
            audit_pb2.DutyDone(duty=audit_pb2.DUTY_APPROVED, principal="user:ada", act="a/1"),
            audit_pb2.DutyDone(duty=audit_pb2.DUTY_APPROVED, principal="user:bob", act="a/2"),
            audit_pb2.DutyDone(duty=audit_pb2.DUTY_APPROVED, principal="user:ada", act="a/3"),
        ],
        authors_known=True,
        conflicts=[
            audit_pb2.DutyConflict(
                code=audit_pb2.DUTY_CONFLICT_CODE_AUTHOR_APPROVED, principals=[author], text=f"{author} did"
            )
        ],
    )


@pytest.fixture
def line(connected: CommandLine, fake: FakeServer) -> CommandLine:
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(tenant="acme"))
    fake.reply("ListDuties", audit_service_pb2.ListDutiesResponse(releases=[told()]))
    return connected


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_one_row_for_each_release(line: CommandLine) -> None:
    (row,) = rows(line("audit", "duties", "-o", "csv").out)
    assert (row["release"], row["created"], row["authored"]) == (
        NAME,
        "sa:ci",
        "user:dev",
    )
    assert (row["approved"], row["rejected"], row["authors_known"]) == ("user:ada user:bob", "", "yes")
    assert (row["conflicts"], row["details"]) == ("AUTHOR_APPROVED", "AUTHOR_APPROVED: user:dev did")


@pytest.mark.parametrize(
    "author", [EVIL, "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\uff1d1", "|x", '"\r\n=1', "a\n=1,b"]
)
def test_no_cell_of_the_csv_is_a_formula_or_a_row(line: CommandLine, fake: FakeServer, author: str) -> None:
    fake.reply("ListDuties", audit_service_pb2.ListDutiesResponse(releases=[told(author)]))
    text = line("audit", "duties", "-o", "csv").out
    (row,) = rows(text)
    for cell in row.values():
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "|"))
        assert cell.isprintable()
    assert len(text.splitlines()) == 2


def test_markdown_shows_names_as_they_are(line: CommandLine, fake: FakeServer) -> None:
    evil = "x | <b>@all</b>"
    fake.reply("ListDuties", audit_service_pb2.ListDutiesResponse(releases=[told(evil)]))
    text = line("audit", "duties", "-o", "markdown").out
    header, _, row, *_ = text.splitlines()
    assert header.count("|") == row.count("|")
    assert "<b>" not in text
    assert "- checkout 1.4.2 → prod: AUTHOR_APPROVED: " in text


def test_the_table_leaves_out_what_nobody_did_and_says_conflicts_in_words(line: CommandLine) -> None:
    text = line("audit", "duties").out
    assert "APPROVED" in text
    assert "EXEMPTED" not in text
    assert "checkout 1.4.2 → prod: AUTHOR_APPROVED: user:dev did" in text


def test_every_page_is_read_and_the_time_is_asked_for(line: CommandLine, fake: FakeServer) -> None:
    pages = [
        audit_service_pb2.ListDutiesResponse(next_page_token="t1"),
        audit_service_pb2.ListDutiesResponse(releases=[told()]),
    ]
    fake.reply("ListDuties", *pages)
    span = ("--from", "2026-03-01T00:00:00Z", "--to", "2026-04-01T00:00:00Z")
    result = line("audit", "duties", *span, "--conflicts-only", "-o", "json")
    assert [one["release"] for one in json.loads(result.out)] == [NAME]
    first, second = fake.asked("ListDuties")
    assert (first.from_time.ToJsonString(), first.to_time.ToJsonString()) == (span[1], span[3])
    assert (first.conflicts_only, second.page_token) == (True, "t1")
    assert line("audit", "duties", "--from", span[3], "--to", span[1]).code == 2
