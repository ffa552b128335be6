"""Settings: where they come from, what is refused, and that the manual lists them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_passport_server.config import (
    Settings,
    SettingsInvalid,
    all_settings,
    inside_kubernetes,
    load,
    require_protected,
)

README = Path(__file__).parents[2] / "server" / "README.md"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_without_file_and_environment_the_defaults_hold() -> None:
    assert load(None, {}).settings == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("passport.yaml", "grpc:\n  listen: 127.0.0.1:9\n"),
        ("passport.toml", '[grpc]\nlisten = "127.0.0.1:9"\n'),
    ],
)
def test_a_file_is_read_in_either_form(tmp_path: Path, name: str, text: str) -> None:
    assert load(write(tmp_path / name, text), {}).settings.grpc.listen == "127.0.0.1:9"


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "passport.yaml", "limits:\n  decide: 5\n  read: 6\n")
    loaded = load(None, {"PASSPORT_SERVER_CONFIG": str(path), "PASSPORT_SERVER_LIMITS_DECIDE": "7"})
    assert (loaded.settings.limits.decide, loaded.settings.limits.read) == (7, 6)
    assert loaded.origins == {"limits.decide": "PASSPORT_SERVER_LIMITS_DECIDE", "limits.read": str(path)}


def test_the_clients_variables_are_not_the_servers() -> None:
    assert load(None, {"PASSPORT_SERVER": "localhost:1", "PASSPORT_TOKEN": "x"}).settings == Settings()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("grpc:\n  lisen: 127.0.0.1:1\n", "grpc.lisen: unknown setting; did you mean grpc.listen?"),
        ("gprc:\n  listen: 127.0.0.1:1\n", "gprc: unknown setting; did you mean grpc?"),
        ("grpc: 127.0.0.1:1\n", "grpc: this is a section"),
        ("grpc:\n  listen: nowhere\n", "grpc.listen: write it as host:port"),
        ("grpc:\n  listen: 127.0.0.1:65536\n", "grpc.listen: write it as host:port"),
        ("grpc:\n  listen: '::1:80'\n", "grpc.listen: write it as host:port"),
        ("grpc:\n  tls_certificate: /a.pem\n", "tls_certificate and tls_key are set together"),
        ("grpc:\n  tls_client_ca: /a.pem\n", "tls_client_ca needs tls_certificate"),
        ("store:\n  url: mysql://x\n", "store.url: write it as sqlite:///path"),
        ("store:\n  url: postgresql://u:secret@h/d\n", "store.url: a password does not belong here"),
        ("limits:\n  decide: many\n", "limits.decide: "),
        ("limits:\n  decide: 0\n", "limits.decide: "),
        ("- 1\n", "write sections with settings"),
        ("a: [\n", "passport.yaml: "),
        ("x: &a [*a]\n", "x: unknown setting"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(write(tmp_path / "passport.yaml", text), {})
    assert part in str(refused.value)
    assert "secret" not in str(refused.value)


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "passport.yaml", "limits:\n  decide: 0\n  read: 0\n")
    with pytest.raises(SettingsInvalid) as refused:
        load(path, {})
    assert len(str(refused.value).splitlines()) == 2


def test_an_unknown_variable_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsInvalid, match="did you mean PASSPORT_SERVER_GRPC_LISTEN"):
        load(None, {"PASSPORT_SERVER_GRPC_LISTN": "127.0.0.1:1"})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load(tmp_path / "none.yaml", {})


@pytest.mark.parametrize("section", ["grpc", "http"])
@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1", "passport.example.com"])
def test_plaintext_beyond_loopback_is_refused_unless_a_proxy_is_said(section: str, host: str) -> None:
    settings = Settings.model_validate({section: {"listen": f"{host}:1"}})
    with pytest.raises(SettingsInvalid, match="--insecure-behind-proxy"):
        require_protected(settings, insecure_behind_proxy=False)
    require_protected(settings, insecure_behind_proxy=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost"])
def test_plaintext_on_loopback_is_accepted(host: str) -> None:
    settings = Settings.model_validate({"grpc": {"listen": f"{host}:1"}, "http": {"listen": f"{host}:2"}})
    require_protected(settings, insecure_behind_proxy=False)


def test_tls_may_listen_anywhere() -> None:
    listener = {"listen": "0.0.0.0:1", "tls_certificate": "/c.pem", "tls_key": "/k.pem"}
    require_protected(
        Settings.model_validate({"grpc": listener, "http": listener}), insecure_behind_proxy=False
    )


def test_a_pod_is_known_by_its_service_variable() -> None:
    assert inside_kubernetes({"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert not inside_kubernetes({})


def test_every_setting_has_a_description_and_a_variable_of_its_own() -> None:
    settings = list(all_settings())
    assert all(setting.description for setting in settings)
    assert len({setting.variable for setting in settings}) == len(settings)


def test_the_manual_lists_every_setting_as_it_is() -> None:
    rows = [
        f"| `{setting.path}` | `{setting.variable}` | {f'`{setting.default}`' if setting.default else 'none'} "
        f"| {setting.description} |"
        for setting in all_settings()
    ]
    documented = [
        line for line in README.read_text(encoding="utf-8").splitlines() if "`PASSPORT_SERVER_" in line
    ]
    assert [line for line in documented if line.startswith("| `") and "." in line.split("|")[1]] == rows
