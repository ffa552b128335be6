"""What is printed: nothing that a terminal, Markdown, XML or a runner would obey, and the verdict first."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport.cli.options import DECISION
from release_passport.cli.render.decision_table import decision_document
from release_passport.cli.render.github import workflow_commands
from release_passport.cli.render.markdown import decision_markdown, escape
from release_passport.cli.render.text import clean, clean_line
from release_passport.cli.render.view import view_of
from release_passport.v1 import decision_pb2, policy_pb2, verdict_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.decisions import RELEASE, decision, evaluated, finding
from support.fake_server import FakeServer

__all__ = ["connected", "fake", "passport"]

HOLD = verdict_pb2.VERDICT_HOLD
BLOCK = verdict_pb2.VERDICT_BLOCK
NASTY = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202eevil\r\n::error::x|<b>[a](http://x) @all ]]>"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("a\x00b\x07c\x7fd\x9be", "abcde"),
        ("a\u202eb\u2066c\ufeffd", "abcd"),
        ("line\r\nnext\tend", "line\nnext\tend"),
        ("\x1b", ""),
        ("\x1b[\x1b[31m31mx", "31mx"),
    ],
)
def test_control_characters_are_gone(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_no_text_keeps_a_control_character(text: str) -> None:
    assert all(char in "\n\t" or char.isprintable() or ord(char) > 0x9F for char in clean(text))
    assert "\n" not in clean_line(text)


@given(st.text())
def test_escaped_markdown_has_no_live_markup(text: str) -> None:
    live = escape(text).replace("\\\\", "").replace("\\`", "").replace("\\[", "").replace("\\*", "")
    assert not set("`[*<>|@") & set(live)


def nasty() -> decision_pb2.Decision:
    found = decision(HOLD)
    found.findings[0].MergeFrom(
        decision_pb2.Finding(
            rule=NASTY, message=NASTY, next_action=NASTY, who_can_act=[NASTY], artifact=NASTY, reason=NASTY
        )
    )
    found.weakenings.append(NASTY)
    found.release = NASTY
    return found


@pytest.mark.parametrize("form", DECISION)
def test_hostile_server_text_is_harmless_in_every_form(
    connected: CommandLine, fake: FakeServer, form: str
) -> None:
    response = evaluated(HOLD)
    response.decision.CopyFrom(nasty())
    fake.reply("Evaluate", response)
    result = connected("gate", "--release", RELEASE, "-o", form)
    assert result.code == 11
    assert not set("\x1b\x07\x9b\u202e\r\x00") & set(result.out + result.err)
    if form == "junit":
        ET.fromstring(result.out)
    if form in {"json", "sarif"}:
        json.loads(result.out)
    if form == "github":
        assert all(line.startswith("::") for line in result.out.splitlines())
        assert "\n::error::x" not in result.out


def lines(found: decision_pb2.Decision, refusal: str = "") -> list[str]:
    return str(decision_document(view_of(found, refusal=refusal), now=datetime.now(UTC))).splitlines()


def test_the_verdict_comes_first_and_in_words() -> None:
    assert lines(decision(HOLD))[0] == "HOLD  checkout 1.4.2 → prod: waiting for evidence"


@pytest.mark.parametrize(
    ("found", "headline"),
    [
        (decision(), "ALLOW  checkout 1.4.2 → prod: may proceed"),
        (
            decision(
                verdict_pb2.VERDICT_ALLOW_WITH_CANARY,
                canary=policy_pb2.CanaryConstraints(max_weight=25, steps=[5, 25]),
            ),
            (
                "ALLOW WITH CANARY  checkout 1.4.2 → prod: may proceed as a canary, "
                "at most 25 % of the traffic, in steps of 5, 25 %"
            ),
        ),
        (decision(BLOCK), "BLOCK  checkout 1.4.2 → prod: may not proceed: 1 of 1 checks fails"),
        (
            decision(verdict_pb2.VERDICT_REQUIRE_APPROVAL),
            "REQUIRE APPROVAL  checkout 1.4.2 → prod: waiting for approval by sa:ci",
        ),
        (
            decision(
                verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED, rollback_target=RELEASE.replace("1.4.2", "1.4.1")
            ),
            "ROLLBACK RECOMMENDED  checkout 1.4.2 → prod: go back to checkout 1.4.1 → prod",
        ),
    ],
)
def test_each_verdict_has_its_words(found: decision_pb2.Decision, headline: str) -> None:
    assert lines(found)[0] == headline


def test_what_blocks_comes_with_the_next_action_and_who_can_act() -> None:
    text = "\n".join(lines(decision(HOLD)))
    assert "What blocks (1)" in text
    assert "next  Run the tests and submit their result." in text
    assert "who   sa:ci" in text


def test_findings_that_are_not_enforced_stand_apart() -> None:
    found = decision()
    found.verdict = BLOCK
    found.findings.append(finding(BLOCK, mode=verdict_pb2.POLICY_MODE_SHADOW, policy="new"))
    text = "\n".join(lines(found))
    assert "all policies together say BLOCK" in text
    assert "Seen by policies that are not enforced (1)" in text
    assert "What blocks" not in text


def test_nothing_is_said_to_block_a_way_back() -> None:
    found = decision(weakenings=["RESTORES_PREVIOUS"])
    found.verdict = BLOCK
    found.findings.extend(
        [finding(BLOCK), finding(verdict_pb2.VERDICT_ALLOW, reason="RESTORES_PREVIOUS", policy="")]
    )
    text = "\n".join(lines(found))
    assert "may proceed: it goes back to what passed here before" in text
    assert "! WEAKENED: RESTORES_PREVIOUS" in text
    assert "Seen, and holds no way back (1)" in text
    assert "What blocks" not in text
    assert "all policies together" not in text


def test_weakenings_and_development_mode_are_loud() -> None:
    text = lines(decision(dev=True, weakenings=["OBSERVE_ONLY until Friday"]))
    assert "! WEAKENED: OBSERVE_ONLY until Friday" in text
    assert any("DEV" in line for line in text)


def test_a_refusal_is_the_verdict() -> None:
    assert lines(decision(), "ask again")[0] == "HOLD  checkout 1.4.2 → prod: ask again"


def test_markdown_names_verdict_and_reasons() -> None:
    text = decision_markdown(view_of(decision(HOLD)))
    assert text.startswith("## HOLD: checkout 1.4.2 → prod\n\nwaiting for evidence\n")
    assert "| baseline/tests-pass | HOLD EVIDENCE_MISSING |" in text


def test_annotations_are_bounded() -> None:
    found = decision(HOLD)
    for _ in range(50):
        found.findings.append(finding(HOLD))
    commands = workflow_commands(view_of(found), exit_code=11).splitlines()
    assert sum(line.startswith("::error") for line in commands) == 10


def test_github_files_get_outputs_and_summary(
    connected: CommandLine, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outputs, summary = tmp_path / "outputs", tmp_path / "summary"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    response = evaluated(HOLD)
    response.decision.name += "\nverdict=ALLOW"
    fake.reply("Evaluate", response)
    connected("gate", "--release", RELEASE, "-o", "github")
    said = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    assert (said["verdict"], said["exit_code"]) == ("HOLD", "11")
    assert summary.read_text().startswith("## HOLD")


def test_json_says_what_the_client_made_of_it(connected: CommandLine, fake: FakeServer) -> None:
    fake.reply("Evaluate", evaluated(dev=True))
    data = json.loads(connected("gate", "--release", RELEASE, "-o", "json").out)
    assert data["decision"]["effectiveVerdict"] == "VERDICT_ALLOW"
    assert (data["gate"]["verdict"], data["gate"]["exitCode"]) == ("HOLD", 11)


def test_notices_go_to_standard_error_and_quiet_silences_them(
    connected: CommandLine, fake: FakeServer
) -> None:
    fake.reply("Evaluate", evaluated(HOLD))
    name = decision().name
    result = connected("gate", "--release", RELEASE, "--detach")
    assert (result.code, result.out) == (11, f"{name}\n")
    assert "waiting for evidence" in result.err
    assert connected("gate", "--release", RELEASE, "--detach", "--quiet").err == ""
