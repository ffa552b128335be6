"""Watch windows, for people."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.names import last_part
from release_passport.cli.render.text import Document, pairs, table
from release_passport.cli.render.view import time_words
from release_passport.enum_names import short_name
from release_passport.v1 import verdict_pb2, watch_window_pb2, watch_window_service_pb2

_STATE = watch_window_pb2.WatchWindowState.DESCRIPTOR
_VERDICT = verdict_pb2.Verdict.DESCRIPTOR


def windows(items: Sequence[watch_window_pb2.WatchWindow]) -> Document:
    """Return windows as a table."""
    rows = [
        (
            _attempt(item),
            _state(item),
            short_name(_VERDICT, item.effective_verdict),
            _time(item, "open_time"),
            _time(item, "pass_time"),
            _time(item, "expire_time"),
        )
        for item in items
    ]
    headers = ("attempt", "state", "verdict", "open since", "may pass", "ends")
    return table(headers, rows, empty="no rollout is under way")


def words(item: watch_window_pb2.WatchWindow) -> tuple[str, str, str, str]:
    """Return a window as the cells attempt, state, open since, and ended."""
    return _attempt(item), _state(item), _time(item, "open_time"), _ended(item)


def window(item: watch_window_pb2.WatchWindow) -> Document:
    """Return all of a window."""
    document = pairs(
        [
            ("attempt", _attempt(item)),
            ("state", _state(item)),
            ("verdict", short_name(_VERDICT, item.effective_verdict)),
            ("decision", item.decision),
            ("began", f"{_time(item, 'arm_time')} on {last_part(item.ground)}"),
            ("open since", _time(item, "open_time") or "not seen to be exposed"),
            ("watched for", f"{item.duration.ToTimedelta()}" if item.duration.seconds else ""),
            ("at most", f"{item.max_weight} %"),
            (
                "may pass",
                "its clock stands: nothing of it is exposed" if item.paused else _time(item, "pass_time"),
            ),
            ("ends", _time(item, "expire_time")),
            ("ended", _ended(item)),
            ("policies", ", ".join(item.policies)),
            ("go back to", item.rollback_target),
            ("the way back", _way_back(item)),
        ]
    )
    for latch in item.latches:
        document.gap()
        document.add(f"latched: {latch.policy}/{latch.rule} said {latch.reason} in {latch.decision}")
    for said in item.acknowledgements:
        document.gap()
        when = time_words(said.acknowledge_time)
        document.add(f"acknowledged by {said.principal} at {when}: {said.reason}")
    return document


def adoptions(items: Sequence[watch_window_service_pb2.AdoptPoliciesResponse]) -> Document:
    """Return what other policies say of rollouts as a table."""
    rows = [
        (
            _attempt(item.window),
            ", ".join(_adopted(one) for one in item.changes),
            f"{short_name(_VERDICT, item.verdict_before)} -> {short_name(_VERDICT, item.verdict_after)}",
            ", ".join(item.reasons),
        )
        for item in items
    ]
    headers = ("attempt", "policies", "verdict", "reasons")
    return table(headers, rows, empty="they are judged by the policies as they are now")


def _adopted(one: watch_window_service_pb2.AdoptedPolicy) -> str:
    before, after = (str(at) if at else "none" for at in (one.revision_before, one.revision_after))
    return f"{one.policy_id} {before} -> {after}"


def _way_back(item: watch_window_pb2.WatchWindow) -> str:
    """Return what was last seen of the way back."""
    if not item.HasField("rollback_readiness"):
        return "not looked at: no connector reads rollback-readiness here"
    found, when = item.rollback_readiness, _time(item, "rollback_readiness_time")
    if found.blockers:
        return f"blocked at {when}: {'; '.join(found.blockers)}"
    return (
        f"{'ready' if found.ready else 'not known in full'} at {when}, to {last_part(found.target_release)}"
    )


def _attempt(item: watch_window_pb2.WatchWindow) -> str:
    parts = item.name.split("/")
    return "/".join(parts[index] for index in (3, 5, 7, 9))


def _state(item: watch_window_pb2.WatchWindow) -> str:
    state = short_name(_STATE, item.state).lower().replace("_", " ")
    return f"{state}, paused" if item.paused and not item.HasField("close_time") else state


def _ended(item: watch_window_pb2.WatchWindow) -> str:
    return f"{_time(item, 'close_time')} {item.reason}".strip()


def _time(item: watch_window_pb2.WatchWindow, field: str) -> str:
    return time_words(getattr(item, field)) if item.HasField(field) else ""
