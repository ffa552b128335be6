"""The file of those whose word counts: what it can say, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from release_passport_server.adapters.http.client import GuardedClients
from release_passport_server.adapters.oidc.verifier import IssuedTokens
from release_passport_server.adapters.system.clock import SystemClock
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.federation import vouchers
from release_passport_server.services.authenticate import Vouchers

GITHUB = {
    "alias": "github",
    "preset": "github-actions",
    "audience": "https://passport.test",
    "admit": [{"tenant": "acme", "when": {"repository_owner_id": 1001}}],
}
PEOPLE = {
    "alias": "corp",
    "preset": "people",
    "issuer": "https://id.test",
    "audience": "passport",
    "admit": [{"tenant": "acme"}],
}


def loaded(folder: Path, *issuers: object, **rest: object) -> Vouchers:
    path = folder / "identities.yaml"
    path.write_text(yaml.safe_dump({"issuers": list(issuers), **rest}), encoding="utf-8")
    return read(path)


def read(path: Path) -> Vouchers:
    settings = Settings.model_validate({"authentication": {"file": path}})
    return vouchers(settings, GuardedClients("tests"), SystemClock())


def test_without_a_file_nobody_elses_word_counts() -> None:
    assert vouchers(Settings(), GuardedClients("tests"), SystemClock()) == Vouchers()


def test_presets_know_their_issuer_and_what_a_repository_is_called(tmp_path: Path) -> None:
    gitlab = {**GITHUB, "alias": "gitlab", "preset": "gitlab-ci"}
    gitlab["admit"] = [{"tenant": "acme", "when": {"project_id": ["7", 8]}}]
    found = loaded(tmp_path, GITHUB, gitlab, PEOPLE).tokens
    assert isinstance(found, IssuedTokens)
    assert [one.url for one in found.issuers] == [
        "https://token.actions.githubusercontent.com",
        "https://gitlab.com",
        "https://id.test",
    ]
    assert [one.source.name for one in found.issuers] == ["{repository_id}", "{project_id}", "{sub}"]
    assert [one.only_audience for one in found.issuers] == [True, True, False]
    assert found.issuers[0].source.admissions[0].when == {"repository_owner_id": ("1001",)}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "anybody on GitHub": ({**GITHUB, "admit": [{"tenant": "acme"}]}, "anybody can get a token"),
    "any owner on GitHub": (
        {**GITHUB, "admit": [{"tenant": "acme", "when": {"repository_owner_id": "*"}}]},
        "anybody can get a token",
    ),
    "an owner by a name that can change hands": (
        {**GITHUB, "admit": [{"tenant": "acme", "when": {"repository_owner": "acme"}}]},
        "anybody can get a token",
    ),
    "one rule of two": (
        {**GITHUB, "admit": [*GITHUB["admit"], {"tenant": "acme", "when": {"ref": "refs/heads/main"}}]},
        "anybody can get a token",
    ),
    "a shared secret": ({**PEOPLE, "algorithms": ["RS256", "HS256"]}, "HS256 cannot be trusted"),
    "no algorithm": ({**PEOPLE, "algorithms": ["none"]}, "none cannot be trusted"),
    "an empty list of algorithms": ({**PEOPLE, "algorithms": []}, "algorithms"),
    "no audience": ({key: PEOPLE[key] for key in PEOPLE if key != "audience"}, "audience"),
    "an empty audience": ({**PEOPLE, "audience": ""}, "audience"),
    "no issuer": ({key: PEOPLE[key] for key in PEOPLE if key != "issuer"}, "issuer is missing"),
    "an issuer without TLS": ({**PEOPLE, "issuer": "http://id.test"}, "write https://"),
    "keys without TLS": ({**PEOPLE, "keys_url": "http://id.test/keys"}, "write https://"),
    "an issuer that is no URL": ({**PEOPLE, "issuer": "id.test"}, "https://"),
    "nobody let in": ({**PEOPLE, "admit": []}, "admit"),
    "a tenant that is none": ({**PEOPLE, "admit": [{"tenant": "*"}]}, "tenant"),
    "all callers one": ({**PEOPLE, "name": "everybody"}, "all callers would be one"),
    "an alias with a slash": ({**PEOPLE, "alias": "corp/x"}, "alias"),
    "a principal that is none": (
        {**PEOPLE, "admit": [{"tenant": "acme", "principal": "admin"}]},
        "principal",
    ),
    "a kind of its own": ({**PEOPLE, "kind": "system"}, "kind"),
    "no preset and no name": ({**PEOPLE, "preset": None}, "needs kind and name"),
    "a preset that is none": ({**PEOPLE, "preset": "gihtub"}, "preset"),
    "a misspelt field": ({**PEOPLE, "audiance": "x"}, "audiance"),
    "a leeway of an hour": ({**PEOPLE, "leeway_seconds": 3600}, "leeway_seconds"),
    "a life without end": ({**PEOPLE, "longest_life_hours": 1e9}, "longest_life_hours"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    entry, part = WRONG[name]
    with pytest.raises(SettingsInvalid) as refused:
        loaded(tmp_path, entry)
    assert part in str(refused.value)
    assert str(refused.value).startswith("authentication.file: ")


def test_two_sources_of_one_alias_are_refused(tmp_path: Path) -> None:
    certificates = {"alias": "corp", "admit": [{"tenant": "acme"}]}
    with pytest.raises(SettingsInvalid, match="there twice"):
        loaded(tmp_path, PEOPLE, certificates=certificates)


@pytest.mark.parametrize("text", ["- 1", "issuers: 7", "a: [", "&a [*a]", "x" * 300_000])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "identities.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"^authentication\.file: "):
        read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        read(tmp_path / "none.yaml")


def test_certificates_that_nobody_is_asked_for_are_refused(tmp_path: Path) -> None:
    certificates = {"alias": "mesh", "admit": [{"tenant": "acme"}]}
    with pytest.raises(SettingsInvalid, match="tls_client_ca"):
        loaded(tmp_path, PEOPLE, certificates=certificates)


def test_an_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "identities.yaml"
    path.write_text("issuers: []\n", encoding="utf-8")
    assert read(path) == Vouchers()
