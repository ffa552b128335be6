"""What `passport doctor --gate` does: asks at a gate as its controller does, in a way that opens nothing."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from release_passport.cli import exit_codes
from release_passport.cli.checkup import FAIL, OK, WARN, CheckResult

# No object of a cluster can have this name, so the server knows who asks, and neither decides nor records anything.
DOCTOR = "Release-Passport-Doctor"
_TIMEOUT = 10.0
_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it came, without following it anywhere."""

    status: int
    location: str
    body: str


def check_gate(url: str) -> CheckResult:
    """Return whether a controller would reach the gate by this address, and nothing else in its place."""
    try:
        parts = urlsplit(url)
        shown = _shown(parts)
    except ValueError as error:
        return _failed(f"{error}", "give the URL as the Canary or AnalysisTemplate has it")
    kind = _kind(parts.path)
    if kind is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        text = f"{shown} is no address of a gate"
        return _failed(
            text, "`passport edge get` shows the path; for Flagger it ends with the webhook's type"
        )
    try:
        answer = _ask(parts, kind)
    except (OSError, http.client.HTTPException) as error:
        return _failed(
            f"{shown}: {error}", "does the controller's namespace reach this address, and by what name?"
        )
    return _judged(shown, parts, kind, answer)


def _judged(shown: str, parts: SplitResult, kind: str, answer: Answered) -> CheckResult:
    if 300 <= answer.status < 400:
        text = f"{shown} redirects ({answer.status}) to {answer.location[:200] or 'somewhere'}"
        advice = (
            "a controller follows it, and a log-in page that answers 200 opens the gate: take the proxy away"
        )
        return _failed(text, advice)
    if "CREDENTIAL_INVALID" in answer.body:
        advice = "make a new credential with `passport edge rotate`, and put it into the controller's object"
        return _failed(f"{shown}: there is no such gate, or the credential is not its own", advice)
    if not _is_ours(kind, answer):
        text = f"{shown}: something else answers, with status {answer.status}"
        opens = " and would open the gate" if kind == "flagger" and answer.status <= 202 else ""
        return _failed(
            text + opens, "look what stands between: the path must reach Release Passport unchanged"
        )
    if parts.scheme != "https":
        advice = "use https, so that nobody on the way reads the credential or answers instead"
        return CheckResult("gate", WARN, f"{shown} answers, without TLS", advice)
    return CheckResult("gate", OK, f"{shown} answers as it should")


def _is_ours(kind: str, answer: Answered) -> bool:
    if kind == "flagger":
        return answer.status == 403 and answer.body.startswith("wait: DOCTOR")
    if answer.status != 200:
        return False
    try:
        found = json.loads(answer.body)
        if kind == "prometheus":
            return bool(found["data"]["result"][0]["value"][1] == "1")
        return bool(found["verdict"] == "hold" and found["reasons"] == ["DOCTOR"])
    except (ValueError, LookupError, TypeError):
        return False


def _ask(parts: SplitResult, kind: str) -> Answered:
    headers = {"content-type": "application/json", "user-agent": "Go-http-client/1.1"}
    if parts.username is not None or parts.password is not None:
        secret = unquote(parts.password or "")
        basic = base64.b64encode(f"{unquote(parts.username or '')}:{secret}".encode()).decode()
        # What stands in a URL goes as Basic with a webhook, and as a bearer token with a metric.
        headers["authorization"] = f"Basic {basic}" if kind == "flagger" else f"Bearer {secret}"
    named = {"namespace": "", "rollout" if kind == "argo" else "name": DOCTOR}
    path, method, body = parts.path, "POST", json.dumps(named)
    if kind == "prometheus":
        path, method, body = f"{path.removesuffix('/')}/api/v1/query?query=vector(1)", "GET", ""
    assert parts.hostname is not None
    if parts.scheme == "https":
        way: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=_TIMEOUT, context=ssl.create_default_context()
        )
    else:
        way = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT)
    try:
        way.request(method, path, body=body or None, headers=headers)
        answer = way.getresponse()
        text = answer.read(_MOST).decode("utf-8", "replace")
        return Answered(answer.status, answer.headers.get("location", ""), text)
    finally:
        way.close()


def _kind(path: str) -> str | None:
    if path.startswith("/v1/argo-rollouts/") and path.endswith("/verdict"):
        return "argo"
    if not path.startswith("/v1/flagger/"):
        return None
    return "prometheus" if path.rstrip("/").endswith("/prometheus") else "flagger"


def _shown(parts: SplitResult) -> str:
    """Return the address without its credential."""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _failed(text: str, advice: str) -> CheckResult:
    return CheckResult("gate", FAIL, text, advice, exit_codes.ERROR)
