"""`passport-server` from the outside: its commands, its signals, its two modes, its backup."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from support.server_process import environment, passport_server, served

WHO_AM_I = "/release_passport.v1.AccessService/WhoAmI"


def who_am_i(address: str, token: str = "") -> httpx.Response:
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return httpx.post(f"http://{address}{WHO_AM_I}", content="{}", headers=headers)


def test_a_store_is_made_served_kept_and_restored(tmp_path: Path) -> None:
    early = passport_server(tmp_path, "serve")
    assert early.returncode == 2
    assert "passport-server init" in early.stderr
    assert not (tmp_path / "passport.db").exists()

    made = passport_server(tmp_path, "init")
    assert made.returncode == 0
    token = made.stdout.strip()
    assert token.startswith("rp1_")
    assert token not in made.stderr
    assert (tmp_path / "passport.db").stat().st_mode & 0o077 == 0

    again = passport_server(tmp_path, "init", "--tenant", "other")
    assert (again.returncode, again.stdout) == (1, "")
    assert "initialised" in again.stderr

    with served(tmp_path) as server:
        assert who_am_i(server.where["http"], token).json()["principal"] == "user:admin"
        assert who_am_i(server.where["http"]).status_code == 401
        second = passport_server(tmp_path, "serve")
        assert second.returncode == 1
        assert f"in use by process {server.process.pid}" in second.stderr
        assert passport_server(tmp_path, "backup", "copy.db").returncode == 0
        refused = passport_server(tmp_path, "restore", "copy.db")
        assert refused.returncode == 1
        assert "in use" in refused.stderr
        server.process.send_signal(signal.SIGTERM)
        rest = server.rest()
        assert server.process.returncode == 0
        assert [line["message"] for line in rest][-2:] == ["draining", "stopped"]
        assert token not in str(rest)

    for path in tmp_path.glob("passport.db*"):
        path.unlink()
    assert passport_server(tmp_path, "restore", "copy.db").returncode == 0
    with served(tmp_path) as server:
        assert who_am_i(server.where["http"], token).json()["tenant"] == "default"


def test_development_mode_needs_no_token_and_says_so(tmp_path: Path) -> None:
    with served(tmp_path, "--dev") as server:
        assert all(line["dev"] for line in server.lines)
        assert "DEVELOPMENT MODE" in server.where["notice"]
        me = who_am_i(server.where["http"]).json()
        assert (me["principal"], me["tenant"]) == ("user:dev", "default")
        assert "development mode" in me["notices"][0]
    normal = passport_server(tmp_path, "serve")
    assert normal.returncode == 2
    assert "made by --dev" in normal.stderr


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "Kubernetes"),
        ({"PASSPORT_SERVER_GRPC_LISTEN": "0.0.0.0:0"}, "loopback"),
        ({"PASSPORT_SERVER_STORE_URL": "postgresql://127.0.0.1/none"}, "PostgreSQL"),
    ],
)
def test_development_mode_is_refused_elsewhere(tmp_path: Path, more: dict[str, str], part: str) -> None:
    refused = passport_server(tmp_path, "serve", "--dev", **more)
    assert refused.returncode == 2
    assert part in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_development_mode_refuses_a_store_of_the_normal_mode(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "passport.db")) as connection:
        connection.execute("CREATE TABLE t (c)")
    refused = passport_server(tmp_path, "serve", "--dev")
    assert refused.returncode == 2
    assert "not made by --dev" in refused.stderr


@pytest.mark.parametrize(
    ("words", "more", "part"),
    [
        (["serve"], {"PASSPORT_SERVER_HTTP_LISTEN": "0.0.0.0:0"}, "--insecure-behind-proxy"),
        (["serve"], {"PASSPORT_SERVER_LIMIT_DECIDE": "1"}, "did you mean PASSPORT_SERVER_LIMITS_DECIDE"),
        (["serve", "--config", "none.yaml"], {}, "cannot be read"),
        (["serve", "--dev", "--insecure-behind-proxy"], {}, "exclude each other"),
        (["check-config"], {"PASSPORT_SERVER_STORE_PASSWORD_FILE": "/none"}, "/none cannot be read"),
        (["backup", "x"], {"PASSPORT_SERVER_STORE_URL": "postgresql://h/d"}, "pg_dump"),
        (["restore", "x"], {"PASSPORT_SERVER_STORE_URL": "postgresql://h/d"}, "pg_restore"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_ends_with_2(
    tmp_path: Path, words: list[str], more: dict[str, str], part: str
) -> None:
    refused = passport_server(tmp_path, *words, **more)
    assert refused.returncode == 2
    assert part in refused.stderr
    assert "Traceback" not in refused.stderr


def test_check_config_shows_values_and_their_origins_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2", encoding="utf-8")
    (tmp_path / "server.yaml").write_text("limits:\n  decide: 9\n", encoding="utf-8")
    shown = passport_server(
        tmp_path, "check-config", "--config", "server.yaml", PASSPORT_SERVER_STORE_PASSWORD_FILE="secret"
    )
    assert shown.returncode == 0
    lines = {line.partition(":")[0]: line for line in shown.stdout.splitlines()}
    assert lines["limits.decide"].split() == ["limits.decide:", "9", "#", "server.yaml"]
    assert lines["grpc.listen"].endswith("# PASSPORT_SERVER_GRPC_LISTEN")
    assert lines["log.level"].endswith("# default")
    assert "hunter2" not in shown.stdout


def test_what_serving_imports_is_without_the_migration_tool_and_sigstore(tmp_path: Path) -> None:
    code = "import sys, release_passport_server.bootstrap; print({'alembic', 'sigstore'} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "set()"


def test_an_idle_server_is_small_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    assert passport_server(tmp_path, "init").returncode == 0
    with served(tmp_path) as server:
        assert who_am_i(server.where["http"]).status_code == 401
        mapped = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        resident = next(line for line in mapped.splitlines() if line.startswith("VmRSS"))
        assert int(resident.split()[1]) <= 160 * 1024
        os.kill(server.process.pid, signal.SIGINT)
        server.rest()
        assert server.process.returncode == 0
