"""The watcher goes on where streams end, forgets what is of no use, and never takes silence for a yes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_service_pb2 as pb
from release_passport.watching import News, TokenFile, Update, Watcher
from support.watch_script import ALLOW, BLOCK, GONE, HOLD, NOW, goodbye, releases, told


@dataclass
class Scripted:
    """A client whose streams say what was prepared; the last of them ends the watcher."""

    streams: list[list[Any] | Script]
    requests: list[pb.WatchDecisionRequest] = field(default_factory=list)

    def watch_decision(self, request: Any, *, timeout: float | None = None) -> Any:
        self.requests.append(request)
        if not self.streams:
            raise PassportAPIError("UNAUTHENTICATED", "the end")
        stream = self.streams.pop(0)
        return stream if isinstance(stream, Script) else Script(stream)


class Script:
    def __init__(self, said: list[Any]) -> None:
        self.said = said

    def __iter__(self) -> Iterator[Any]:
        for one in self.said:
            if isinstance(one, Exception):
                raise one
            yield one

    def close(self) -> None: ...


class Silent(Script):
    """Says what it has to say, and then nothing until it is closed."""

    def __init__(self, said: list[Any]) -> None:
        super().__init__(said)
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        self.closed.wait()

    def close(self) -> None:
        self.closed.set()


def heard(*streams: list[Any] | Script, **fields: Any) -> tuple[list[Update], Watcher, list[str]]:
    """Return all that a watcher tells until it is refused, and the tokens that it asked with."""
    client = Scripted(list(streams))
    watcher = Watcher(client, pb.WatchDecisionRequest(), lambda: NOW, chance=lambda: 0.0, **fields)
    updates: list[Update] = []
    with pytest.raises(PassportAPIError, match="the end"):
        updates.extend(watcher)
    return updates, watcher, [request.resume_token for request in client.requests]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL"])
def test_a_stream_that_breaks_goes_on_with_the_last_token(code: str) -> None:
    broken = PassportAPIError(code, "broken")
    updates, _, tokens = heard([told("t1"), broken], [told("t2", "b", revision=2)])
    assert releases(updates) == ["a", "b"]
    assert tokens == ["", "t1", "t2"]


def test_a_stream_that_says_goodbye_goes_on_elsewhere() -> None:
    assert heard([told("t1"), goodbye("t9")], [])[2] == ["", "t9", "t9"]


def test_what_comes_again_after_a_resume_is_left_out() -> None:
    again = told("t1", revision=1)
    updates, _, _ = heard([told("t1", revision=1), GONE], [again, told("t2", "b", revision=2)])
    assert releases(updates) == ["a", "b"]


@pytest.mark.parametrize("reason", ["REVISION_COMPACTED", "HISTORY_DIVERGED", "RESUME_TOKEN_MISMATCH"])
def test_a_token_that_is_of_no_use_is_forgotten(reason: str) -> None:
    refused = PassportAPIError("FAILED_PRECONDITION", "refused", reason=reason)
    updates, _, tokens = heard([told("t1", revision=7)], [refused], [told("t2", "b", revision=2)])
    assert tokens == ["", "t1", "", "t2"]
    assert releases(updates) == ["a", "b"]
    assert (News.DIVERGED in [one.news for one in updates]) == (reason == "HISTORY_DIVERGED")


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT", "NOT_FOUND"])
def test_what_asking_again_does_not_mend_ends_the_watcher(code: str) -> None:
    watcher = Watcher(Scripted([[PassportAPIError(code, "no")]]), pb.WatchDecisionRequest(), lambda: NOW)
    with pytest.raises(PassportAPIError, match="no"):
        next(iter(watcher))


def test_the_token_is_kept_once_the_update_was_handled(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "token")
    watcher = Watcher(
        Scripted([[told("t1"), told("t2", "b", revision=2)]]), pb.WatchDecisionRequest(), lambda: NOW, tokens
    )
    updates = iter(watcher)
    next(updates)
    assert tokens.load() == ""
    next(updates)
    assert tokens.load() == "t1"
    watcher.close()


def test_silence_makes_an_allow_unknown_and_leaves_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    time = [0.0]
    said = [told("t1"), told("t2", "b", BLOCK, revision=2)]
    _, watcher, _ = heard(said, monotonic=lambda: time[0])
    # It was refused in the end, which ends what is known at once.
    assert watcher.effective_verdict("a") == HOLD
    watcher = Watcher(Scripted([said]), pb.WatchDecisionRequest(), lambda: NOW, monotonic=lambda: time[0])
    updates = iter(watcher)
    next(updates), next(updates)
    assert [watcher.effective_verdict(one) for one in ("a", "b", "c")] == [ALLOW, BLOCK, HOLD]
    time[0] = 14.9
    assert watcher.effective_verdict("a") == ALLOW
    time[0] = 15.0
    assert [watcher.effective_verdict(one) for one in ("a", "b")] == [HOLD, BLOCK]
    watcher.close()


def test_a_stream_that_says_nothing_is_told_of_and_left() -> None:
    message = told("t1")
    message.heartbeat_interval.FromTimedelta(timedelta(milliseconds=1))
    silent = Silent([message])
    updates, _, tokens = heard([], silent)
    assert [one.news for one in updates] == [News.CHANGED, News.STALE]
    assert tokens == ["", "", "t1"]
    assert silent.closed.is_set()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (told("t", verdict=77), HOLD),
        (told("t", kind=4), HOLD),
        (told("t", kind=77), HOLD),
        (told("t", verdict=BLOCK, kind=3), BLOCK),
    ],
    ids=["unknown-verdict", "expired", "unknown-kind", "renewed-block"],
)
def test_what_is_not_known_holds(message: Any, expected: int) -> None:
    watcher = Watcher(Scripted([[message]]), pb.WatchDecisionRequest(), lambda: NOW)
    next(iter(watcher))
    assert watcher.effective_verdict("a") == expected


def test_an_allow_ends_with_its_validity() -> None:
    now = [NOW]
    watcher = Watcher(Scripted([[told("t")]]), pb.WatchDecisionRequest(), lambda: now[0])
    next(iter(watcher))
    assert watcher.effective_verdict("a") == ALLOW
    now[0] = NOW + timedelta(minutes=10)
    assert watcher.effective_verdict("a") == HOLD
