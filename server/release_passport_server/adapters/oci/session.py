"""Asks one registry about one repository, with a token where it wants one."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import urlencode

from release_passport_server.domain.image import RegistryAccess
from release_passport_server.domain.outbound import OutboundError, OutboundFailure
from release_passport_server.ports.http import HTTPClient, HTTPRequest, HTTPResponse
from release_passport_server.wire.intoto.strict_json import JSONInvalid, parse

MAX_TOKEN_BYTES = 64 * 1024
_CHALLENGE = re.compile(r"(?i)\b(bearer|basic)\b")
_PARAMETER = re.compile(r'(?i)\b(realm|service)="([^"]*)"')


@dataclass(slots=True)
class Budget:
    """How many bytes may still be read; shared by all that is read for one answer."""

    left: int

    def spend(self, size: int) -> None:
        """Take what was read off."""
        self.left -= size


@dataclass(slots=True)
class Session:
    """Reads one repository; authenticates itself when it is first asked to."""

    client: HTTPClient
    access: RegistryAccess
    repository: str
    budget: Budget
    seconds: float
    _authorization: str = field(default="", repr=False)

    async def get(self, path: str, *, most: int, accept: tuple[str, ...] = ()) -> HTTPResponse:
        """Return what is at a path below `/v2/{repository}/`, or the answer that there is nothing."""
        return await self.get_url(
            f"{self.access.origin}/v2/{self.repository}/{path}", most=most, accept=accept
        )

    async def get_url(self, url: str, *, most: int, accept: tuple[str, ...] = ()) -> HTTPResponse:
        """Return what is at a URL of this registry; raise OutboundError for any status but 200 and 404."""
        answer = await self._sent(url, most, accept)
        if answer.status == 401:
            self._authorization = await self._authorized(answer.headers.get("www-authenticate", ""))
            answer = await self._sent(url, most, accept)
        if answer.status in {401, 403}:
            text = f"{self.access.origin} does not let us read {self.repository}: check the credential and its rights"
            raise OutboundError(OutboundFailure.ACCESS_REFUSED, text, status=answer.status)
        if answer.status not in {200, 404}:
            text = f"{self.access.origin} answered with status {answer.status}"
            raise OutboundError(OutboundFailure.STATUS_UNEXPECTED, text, status=answer.status)
        return answer

    async def blob(self, kind: str, digest: str, *, most: int, accept: tuple[str, ...] = ()) -> bytes:
        """Return a manifest or blob by its digest; raise OutboundError where it is absent or another one."""
        answer = await self.get(f"{kind}/{digest}", most=most, accept=accept)
        if answer.status == 404:
            text = f"{self.access.origin} does not have {digest}, which it names itself"
            raise OutboundError(OutboundFailure.STATUS_UNEXPECTED, text, status=404)
        if digest_of(answer.body) != digest:
            text = f"{self.access.origin} answered with other content than {digest}"
            raise OutboundError(OutboundFailure.CONTENT_REFUSED, text)
        return answer.body

    async def _sent(self, url: str, most: int, accept: tuple[str, ...]) -> HTTPResponse:
        if self.budget.left <= 0:
            text = f"{self.access.origin} has more about this image than is read"
            raise OutboundError(OutboundFailure.TOO_LARGE, text)
        # Registries differ in what type they give: it is asked for, and the content is checked instead.
        headers = {"accept": ", ".join(accept)} if accept else {}
        most = min(most, self.budget.left)
        answer = await self.client.send(
            HTTPRequest(
                url, headers=headers, credential=self._authorization, max_bytes=most, seconds=self.seconds
            )
        )
        self.budget.spend(len(answer.body))
        return answer

    async def _authorized(self, challenge: str) -> str:
        """Return the Authorization header that a challenge asks for."""
        schemes = {found.lower() for found in _CHALLENGE.findall(challenge)}
        if "bearer" in schemes:
            return await self._token(dict(_PARAMETER.findall(challenge)))
        if "basic" in schemes and self.access.credential is not None:
            return self._basic()
        wants = (
            "a credential, and none is configured"
            if "basic" in schemes
            else "a log-in that is not known here"
        )
        text = f"{self.access.origin} wants {wants}"
        raise OutboundError(OutboundFailure.ACCESS_REFUSED, text, status=401)

    async def _token(self, challenge: dict[str, str]) -> str:
        """Fetch a token for reading this repository and nothing else, whatever the registry suggests."""
        realm = challenge.get("realm", "")
        query = {"service": challenge.get("service", ""), "scope": f"repository:{self.repository}:pull"}
        credential = self._basic() if self.access.credential is not None else ""
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        # Only the registry and what is configured beside it can be asked: the client refuses everything else.
        answer = await self.client.send(
            HTTPRequest(url, credential=credential, max_bytes=MAX_TOKEN_BYTES, seconds=self.seconds)
        )
        if answer.status != 200:
            text = f"{self.access.origin} gives no token for {self.repository}: status {answer.status}"
            raise OutboundError(OutboundFailure.ACCESS_REFUSED, text, status=answer.status)
        try:
            found = parse(answer.body)
        except JSONInvalid as error:
            raise self._no_token() from error
        token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
        if not isinstance(token, str) or not token.isprintable() or " " in token:
            raise self._no_token()
        return f"Bearer {token}"

    def _no_token(self) -> OutboundError:
        text = f"{self.access.origin} sends us to a token server whose answer is no token"
        return OutboundError(OutboundFailure.CONTENT_REFUSED, text)

    def _basic(self) -> str:
        credential = self.access.credential
        assert credential is not None
        return "Basic " + b64encode(f"{credential.username}:{credential.password}".encode()).decode()


def digest_of(body: bytes) -> str:
    """Return the digest that names content."""
    return "sha256:" + hashlib.sha256(body).hexdigest()
