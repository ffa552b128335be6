"""Sign in by a device code (RFC 8628), and keep the sign-in fresh."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from release_passport.cli.identity_http import Answer, checked_url, failed, get, post
from release_passport.cli.saved_sign_in import SignIn, expire_time_of

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LONGEST_WAIT = 900.0
_LEAST_PAUSE, _MOST_PAUSE = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Application:
    """What the identity provider knows this command line as."""

    issuer: str
    client_id: str
    scopes: str
    # The token that is shown to the server: the one about the person, or the one for an audience.
    kind: str = "id_token"
    audience: str = ""
    client_secret: str = ""

    @property
    def form(self) -> dict[str, str]:
        """Return what every request says of the application."""
        secret = {"client_secret": self.client_secret} if self.client_secret else {}
        return {"client_id": self.client_id, **secret}


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the person has to do: open the address and give the code."""

    address: str
    complete_address: str
    code: str


def sign_in(
    application: Application,
    server: str,
    show: Callable[[Prompt], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> SignIn:
    """Return the sign-in after the person has agreed in a browser; raise CommandFailure where they have not."""
    known = discovered(application.issuer)
    asked = {**application.form, "scope": application.scopes}
    if application.audience:
        asked["audience"] = asked["resource"] = application.audience
    device = post(_endpoint(known, "device_authorization_endpoint"), "the identity provider", asked)
    code, prompt = _begun(device)
    show(prompt)
    form = {**application.form, "grant_type": DEVICE_GRANT, "device_code": code}
    if application.audience:
        form["resource"] = application.audience
    granted = _awaited(_endpoint(known, "token_endpoint"), form, device.body, sleep)
    return _kept(application, server, known, granted)


def refreshed(saved: SignIn) -> SignIn:
    """Return the sign-in with a new token; raise CommandFailure where the provider gives none."""
    application = Application(
        saved.issuer, saved.client_id, "", saved.kind, saved.audience, saved.client_secret
    )
    form = {**application.form, "grant_type": "refresh_token", "refresh_token": saved.refresh_token}
    if saved.audience:
        form["resource"] = saved.audience
    answer = post(saved.token_endpoint, "the identity provider", form)
    if answer.status != 200:
        raise failed(f"the sign-in has ended ({_error(answer)}); run `passport login` again")
    granted = {"refresh_token": saved.refresh_token, **answer.body}
    known = {"token_endpoint": saved.token_endpoint, "revocation_endpoint": saved.revocation_endpoint}
    return _kept(application, saved.server, known, granted)


def revoke(saved: SignIn) -> None:
    """Tell the provider that the sign-in is over, where it takes that."""
    if saved.revocation_endpoint and saved.refresh_token:
        secret = {"client_secret": saved.client_secret} if saved.client_secret else {}
        form = {"client_id": saved.client_id, "token": saved.refresh_token, **secret}
        post(saved.revocation_endpoint, "the identity provider", form)


def discovered(issuer: str) -> Mapping[str, Any]:
    """Return what the provider says of itself."""
    checked_url(issuer, "the issuer")
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    answer = get(url, "the identity provider")
    if answer.status != 200:
        raise failed(f"{url} answers {answer.status}")
    if answer.body.get("issuer") != issuer:
        raise failed(f"{url} is of another issuer than {issuer}; they must be the same to the letter")
    return answer.body


def _endpoint(known: Mapping[str, Any], name: str) -> str:
    if name not in known:
        raise failed(f"the identity provider has no {name}: it does not sign in by a device code")
    return checked_url(known[name], name)


def _begun(device: Answer) -> tuple[str, Prompt]:
    if device.status != 200:
        raise failed(f"the identity provider refuses this application: {_error(device)}")
    body = device.body
    code, user_code = body.get("device_code"), body.get("user_code")
    if not isinstance(code, str) or not isinstance(user_code, str) or not user_code.isprintable():
        raise failed("the identity provider gives no code")
    address = checked_url(body.get("verification_uri"), "the address to sign in at")
    complete = body.get("verification_uri_complete")
    whole = checked_url(complete, "the address to sign in at") if complete else ""
    return code, Prompt(address, whole, user_code[:40])


def _awaited(
    url: str, form: Mapping[str, str], device: Mapping[str, Any], sleep: Callable[[float], None]
) -> Mapping[str, Any]:
    pause = _number(device.get("interval"), 5.0)
    left = min(_number(device.get("expires_in"), LONGEST_WAIT), LONGEST_WAIT)
    while left > 0:
        pause = min(max(pause, _LEAST_PAUSE), _MOST_PAUSE)
        sleep(pause)
        left -= pause
        answer = post(url, "the identity provider", form)
        if answer.status == 200:
            return answer.body
        match answer.body.get("error"):
            case "authorization_pending":
                continue
            case "slow_down":
                pause += 5
            case "access_denied":
                raise failed("the sign-in was refused in the browser")
            case "expired_token":
                break
            case _:
                raise failed(f"the identity provider refuses the sign-in: {_error(answer)}")
    raise failed("nobody signed in in time; run `passport login` again")


def _kept(
    application: Application, server: str, known: Mapping[str, Any], granted: Mapping[str, Any]
) -> SignIn:
    token = granted.get(application.kind)
    if not isinstance(token, str) or not token:
        raise failed(f"the identity provider gave no {application.kind}; is `openid` among the scopes?")
    refresh = granted.get("refresh_token")
    revocation = known.get("revocation_endpoint")
    return SignIn(
        server=server,
        issuer=application.issuer,
        client_id=application.client_id,
        kind=application.kind,
        audience=application.audience,
        token_endpoint=_endpoint(known, "token_endpoint"),
        revocation_endpoint=checked_url(revocation, "revocation_endpoint") if revocation else "",
        token=token,
        expire_time=expire_time_of(token) or time.time() + _number(granted.get("expires_in"), 300.0),
        refresh_token=refresh if isinstance(refresh, str) else "",
        client_secret=application.client_secret,
    )


def _number(value: object, otherwise: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
    return float(value) if usable else otherwise  # type: ignore[arg-type]  # It is a number then.


def _error(answer: Answer) -> str:
    said = [answer.body.get("error"), answer.body.get("error_description")]
    words = [one[:200] for one in said if isinstance(one, str) and one.isprintable()]
    return ": ".join(words) or f"status {answer.status}"
