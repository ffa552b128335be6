"""A controller's way through a permit, by the command line: ask, use it once, report."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.cli_process import Shell
from support.server import real_server
from support.story import IMAGE, Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
TARGET = ("--target", "eu-1/shop/Rollout/checkout")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with real_server(tmp_path_factory.mktemp("permit")) as server:
        told = Story(server)
        await told.begin()
        yield told


def shell_of(story: Story, folder: Path) -> Shell:
    return Shell(folder, f"127.0.0.1:{story.server.process.grpc_port}", story.server.token)


async def test_a_permit_is_got_used_once_and_reported_on(story: Story, tmp_path: Path) -> None:
    decision = await story.decided("1.0.0", 0)
    shell = shell_of(story, tmp_path)

    def session() -> None:
        shell("permit", "get", "checkout/prod/1.0.0", *TARGET, "--file", "permit.json")
        other = shell("permit", "redeem", "permit.json", "--target", "elsewhere", expect=None)
        assert other.returncode
        assert "PERMIT_OTHER_TARGET" in other.stderr
        words = ("permit", "redeem", "permit.json", *TARGET, "--digest", IMAGE)
        said = json.loads(shell(*words, "--request-id", "run-1", "-o", "json").stdout)
        assert (said["decision"], said["effectiveVerdict"]) == (decision.name, "VERDICT_ALLOW")
        assert json.loads(shell(*words, "--request-id", "run-1", "-o", "json").stdout) == said
        again = shell(*words, expect=None)
        assert again.returncode
        assert "used before" in again.stderr
        shell("permit", "report", decision.name, "applied", *TARGET, "--digest", IMAGE)
        entries = shell("audit", "list", "--subject", decision.name, "-o", "json").stdout
        assert all(action in entries for action in ("Evaluate", "RedeemPermit", "ReportEnforcement"))

    await asyncio.to_thread(session)


async def test_a_release_that_may_not_go_has_no_permit(story: Story, tmp_path: Path) -> None:
    await story.decided("2.0.0", 3)
    words = ("permit", "get", "checkout/prod/2.0.0", *TARGET, "--file", "permit.json")
    refused = await asyncio.to_thread(shell_of(story, tmp_path), *words, expect=1)
    assert "BLOCK gives no permit" in refused.stderr
    assert not (tmp_path / "permit.json").exists()


async def test_a_file_that_is_not_there_is_said(story: Story, tmp_path: Path) -> None:
    refused = await asyncio.to_thread(
        shell_of(story, tmp_path), "permit", "redeem", "none.json", *TARGET, expect=2
    )
    assert "none.json cannot be read" in refused.stderr
