"""The registries that may be read: named by the operator, by https, with credentials from a file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from release_passport_server.config import SettingsInvalid
from release_passport_server.domain.image import RegistryCredential
from release_passport_server.evidence_settings import RegistrySettings
from release_passport_server.verification import registries


def settings(hosts: str, **more: Any) -> RegistrySettings:
    return RegistrySettings(hosts=hosts, **more)


def credentials(folder: Path, auths: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps({"auths": auths}))
    return path


def auth(name: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_nothing_is_read_unless_it_is_named() -> None:
    assert registries(RegistrySettings()) == {}


def test_hosts_are_reached_by_https_and_are_not_internal() -> None:
    found = registries(settings("ghcr.io, registry.example:5000 ,"))
    assert {host: (str(one.origin), one.origin.internal) for host, one in found.items()} == {
        "ghcr.io": ("https://ghcr.io", False),
        "registry.example:5000": ("https://registry.example:5000", False),
    }


def test_private_networks_and_plain_http_are_said_one_by_one() -> None:
    given = settings("http://10.0.0.7:5000, harbor.example", plain_http=True, internal_hosts="10.0.0.7:5000")
    found = registries(given)
    assert (found["10.0.0.7:5000"].origin.internal, found["harbor.example"].origin.internal) == (True, False)


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "[::1]:5000"])
def test_this_machine_is_spoken_to_without_tls(host: str) -> None:
    (one,) = registries(settings(f"http://{host}")).values()
    assert (str(one.origin), one.origin.internal) == (f"http://{host}", True)


def test_docker_hub_is_where_it_is_and_asks_its_own_token_server(tmp_path: Path) -> None:
    file = credentials(tmp_path, {"https://index.docker.io/v1/": auth("ada", "pw")})
    found = registries(settings("docker.io", credentials_file=file))
    one = found["registry-1.docker.io"]
    assert (str(one.origin), [str(other) for other in one.others]) == (
        "https://registry-1.docker.io",
        ["https://auth.docker.io"],
    )
    assert one.credential == RegistryCredential("ada", "pw")


def test_a_credential_belongs_to_its_host_alone(tmp_path: Path) -> None:
    file = credentials(
        tmp_path, {"ghcr.io": auth("robot", "a:b"), "quay.io": {"username": "u", "password": "p"}}
    )
    found = registries(settings("ghcr.io, quay.io, other.example", credentials_file=file))
    assert {host: one.credential for host, one in found.items()} == {
        "ghcr.io": RegistryCredential("robot", "a:b"),
        "quay.io": RegistryCredential("u", "p"),
        "other.example": None,
    }


def test_token_servers_belong_to_their_registry_alone() -> None:
    given = settings("registry.gitlab.com, ghcr.io", token_servers="registry.gitlab.com=gitlab.com")
    found = registries(given)
    assert [str(one) for one in found["registry.gitlab.com"].others] == ["https://gitlab.com"]
    assert found["ghcr.io"].others == ()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"hosts": "http://registry.example"},
            "registries.hosts: http://registry.example is read without TLS",
        ),
        ({"hosts": "user:pw@registry.example"}, "registries.hosts: "),
        ({"hosts": "registry.example/team"}, "write registry.example/team as a host"),
        ({"hosts": "ftp://registry.example"}, "does not begin with https"),
        ({"hosts": "a.example", "token_servers": "a.example"}, "write a.example as registry=host"),
        ({"hosts": "a.example", "token_servers": "b.example=c.example"}, "b.example is not among"),
        ({"hosts": "a.example", "token_servers": "a.example=http://c.example"}, "without TLS"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_the_start(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        registries(RegistrySettings(**given))
    assert told in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"auths": []}',
        '{"auths": {"ghcr.io": {"auth": "s3cret"}}}',
        '{"auths": {"ghcr.io": {"auth": "czNjcmV0"}}}',
        '{"auths": {"ghcr.io": {"username": "s3cret"}}}',
        '{"auths": {"ghcr.io": "s3cret"}}',
    ],
)
def test_a_file_that_is_none_of_docker_logins_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(SettingsInvalid) as raised:
        registries(settings("ghcr.io", credentials_file=path))
    assert "registries.credentials_file" in str(raised.value)
    assert "s3cret" not in str(raised.value)
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        registries(settings("ghcr.io", credentials_file=tmp_path / "absent"))
