"""What an AnalysisRun of Argo Rollouts came to.

A run that was ended early reports Successful, whatever it measured: `terminated` says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from release_passport_server.adapters.connectors.kubernetes.manifests import (
    count,
    entries,
    fields,
    flag,
    known,
    moment,
    numbers,
    part,
    word,
)
from release_passport_server.ports.cluster import Manifest

_PHASES = frozenset({"Pending", "Running", "Successful", "Failed", "Error", "Inconclusive"})
_POD_HASH = "rollouts-pod-template-hash"
_TERMINATED = frozenset({"run terminated"})
_MOST_METRICS = 100


def analysis_facts(run: Manifest, templates: str) -> dict[str, Any]:
    """Return what a run came to; `templates` are those that it was made of, joined by "+"."""
    status = fields(run, "status")
    results = part(status, "metricResults")
    metrics = [_metric(one) for one in entries(status, "metricResults")[:_MOST_METRICS]]
    message = word(status, "message")
    return known(
        template=templates,
        run=word(run, "metadata", "name"),
        phase=_phase(word(status, "phase")),
        message=message,
        metrics=metrics or None,
        complete=True if isinstance(results, list) and len(results) == len(metrics) else None,
        dry_run=bool(any(one.get("dry_run") for one in metrics) or part(status, "dryRunSummary")),
        terminated=flag(run, "spec", "terminate") or message.lower() in _TERMINATED,
        revision_hash=word(fields(run, "metadata", "labels"), _POD_HASH),
        start_time=moment(status, "startedAt"),
        finish_time=moment(status, "completedAt"),
    )


def _metric(result: Mapping[str, Any]) -> dict[str, Any]:
    measurements = entries(result, "measurements")
    facts = known(
        name=word(result, "name"),
        phase=_phase(word(result, "phase")),
        message=word(result, "message"),
        value=_number(word(measurements[-1], "value")) if measurements else None,
        dry_run=flag(result, "dryRun"),
    )
    # Numbers that are 0 are left out of the status.
    return facts | numbers(
        successful=count(result, "successful") or 0,
        failed=count(result, "failed") or 0,
        inconclusive=count(result, "inconclusive") or 0,
        errored=count(result, "error") or 0,
    )


def _phase(word_of_it: str) -> str | None:
    return f"ANALYSIS_PHASE_{word_of_it.upper()}" if word_of_it in _PHASES else None


def _number(text: str) -> float | None:
    try:
        found = float(text.strip("[]"))
    except ValueError:
        return None
    return found if math.isfinite(found) else None
