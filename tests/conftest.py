"""What holds for every test: own PostgreSQL where it is asked for, and no network."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["support.postgres"]

HERE = Path(__file__).parent
# These need no socket at all; the others may talk to this machine, and nothing may leave it.
WITHOUT_SOCKETS = {"conventions", "decisions", "unit"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Block sockets in the folders that need none, and mark what needs PostgreSQL."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in WITHOUT_SOCKETS:
            item.add_marker(pytest.mark.disable_socket)
        if {"postgres_url", "own_postgres_url"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.postgres)
