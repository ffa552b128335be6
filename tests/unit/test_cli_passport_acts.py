"""The passport of a release for people: what they did about it is in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from release_passport.cli.render.markdown import escape
from release_passport.cli.render.passport import passport_document, passport_markdown
from release_passport.v1 import (
    approval_pb2,
    freeze_pb2,
    override_service_pb2,
    passport_pb2,
    release_pb2,
    waiver_pb2,
    watch_window_pb2,
)

NAME = "tenants/acme/services/checkout/environments/prod/releases/1.4.2"
PASSPORT = passport_pb2.Passport(
    release=release_pb2.Release(name=NAME),
    approvals=[approval_pb2.Approval(name=f"{NAME}/approvals/1", voter="user:ada", group="sre")],
    waivers=[waiver_pb2.Waiver(name="tenants/acme/waivers/1", granter="user:grace", rule="scanned")],
    overrides=[
        override_service_pb2.Override(
            name=f"{NAME}/overrides/1", principal="user:hand", retrospective=True, reason="the gate was away"
        )
    ],
    freeze_exemptions=[freeze_pb2.FreezeExemption(freeze="tenants/acme/freezes/f", creator="user:fred")],
    watch_windows=[
        watch_window_pb2.WatchWindow(
            name=f"{NAME}/attempts/{number}/watchWindow",
            state=state,
            paused=number == 2,
        )
        for number, state in (
            (2, watch_window_pb2.WATCH_WINDOW_STATE_OPEN),
            (1, watch_window_pb2.WATCH_WINDOW_STATE_SUPERSEDED),
        )
    ],
)


@pytest.mark.parametrize("who", ["user:ada", "user:grace", "user:hand", "user:fred"])
def test_everybody_who_did_something_stands_in_the_markdown(who: str) -> None:
    assert escape(who) in passport_markdown(PASSPORT)


def test_each_kind_of_act_has_its_section() -> None:
    shown = str(passport_document(PASSPORT, now=datetime(2026, 3, 2, tzinfo=UTC)))
    for title in ("Votes (1)", "Waivers (1)", "Overrides (1)", "Freeze exemptions (1)"):
        assert title in shown
    nothing = passport_pb2.Passport(release=release_pb2.Release(name=NAME))
    assert "Votes" not in str(passport_document(nothing, now=datetime(2026, 3, 2, tzinfo=UTC)))
    assert "Watch windows" not in passport_markdown(nothing)


def test_the_windows_of_its_rollouts_are_shown_with_where_they_stand() -> None:
    shown = str(passport_document(PASSPORT, now=datetime(2026, 3, 2, tzinfo=UTC)))
    assert "Watch windows (2)" in shown
    for text in (shown, passport_markdown(PASSPORT)):
        assert "open, paused" in text
        assert "superseded" in text
