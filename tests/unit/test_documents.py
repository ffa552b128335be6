"""Documents: a version beside a newer one reads what it knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from release_passport_server.adapters.sql.acts import CONNECTOR_HEALTH
from release_passport_server.domain.connector import ConnectorHealth

HEALTH = ConnectorHealth("01H", "HEALTHY", problems=("a", "b"), attempt_time=datetime(2026, 1, 1, tzinfo=UTC))


def test_what_is_kept_comes_back() -> None:
    assert CONNECTOR_HEALTH.decode(CONNECTOR_HEALTH.encode(HEALTH)) == HEALTH


def test_what_a_newer_version_wrote_besides_is_passed_over() -> None:
    body = json.loads(CONNECTOR_HEALTH.encode(HEALTH)) | {"mood": {"time": "2026-01-01T00:00:00Z"}}
    assert CONNECTOR_HEALTH.decode(json.dumps(body).encode()) == HEALTH
