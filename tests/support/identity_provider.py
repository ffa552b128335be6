"""oidc-provider, the certified identity provider, as a process; and a browser for who signs in there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from support.tree import ROOT

FOLDER = ROOT / "tests" / "conformance" / "identity"
CLIENT_ID = "passport-cli"

_FORM = re.compile(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_INPUT = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def installed(folder: Path) -> Path:
    """Return a folder with the provider and what it needs; skip where that cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    there = Path(shutil.copytree(FOLDER, folder / "identity"))
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=there, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        pytest.skip(f"npm cannot fetch oidc-provider: {done.stderr.strip()[-200:]}")
    return there


@contextmanager
def running(folder: Path, *, id_token_seconds: int = 600) -> Iterator[str]:
    """Run the provider, and give its issuer."""
    process = subprocess.Popen(
        ["node", "provider.js", str(id_token_seconds)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        issuer = process.stdout.readline().strip()
        assert issuer.startswith("http://"), "the provider did not start"
        yield issuer
    finally:
        process.kill()
        process.communicate()


def job_token(issuer: str) -> str:
    """Return a token that the provider gives to a machine."""
    credentials = ("nightly", "not-a-secret-of-anybody")
    answer = httpx.post(f"{issuer}/token", auth=credentials, data={"grant_type": "client_credentials"})
    return str(answer.raise_for_status().json()["access_token"])


def agree(address: str, person: str) -> None:
    """Do in a browser what a person does: look at the code, sign in, agree."""
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(address)
        for _ in range(8):
            found = _FORM.search(page.text)
            if found is None:
                break
            data = dict(_fields(found[2]))
            data |= {"login": person, "password": "any"} if "login" in found[2] else {}
            page = browser.post(urljoin(str(page.url), unescape(found[1])), data=data)
        assert "Sign-in Success" in page.text, page.text[:2000]


def _fields(form: str) -> Iterator[tuple[str, str]]:
    for text in _INPUT.findall(form):
        attributes = dict(_ATTRIBUTE.findall(text))
        if "name" in attributes:
            yield attributes["name"], unescape(attributes.get("value", ""))
