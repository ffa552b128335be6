"""Ask a Kubernetes API server whether a service account's token still counts: its pod and account may be gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from release_passport_server.adapters.oidc.issuer import Issuer
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.identity import not_accepted
from release_passport_server.domain.outbound import OutboundError
from release_passport_server.ports.http import HTTPClients, HTTPRequest

PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
MAX_ANSWER = 64 * 1024
SECONDS = 5.0


async def review(issuer: Issuer, clients: HTTPClients, text: str, claims: Mapping[str, object]) -> None:
    """Return where the API server says that the token is its own, for us; raise Unauthenticated or Unavailable."""
    assert issuer.review is not None
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": text, "audiences": [issuer.audience]},
    }
    try:
        credential = await asyncio.to_thread(issuer.review.token_file.read_text, encoding="ascii")
        request = HTTPRequest(
            f"{issuer.review.url.rstrip('/')}{PATH}",
            "POST",
            {"content-type": "application/json"},
            credential=f"Bearer {credential.strip()}",
            body=json.dumps(asked).encode(),
            accept=("application/json",),
            max_bytes=MAX_ANSWER,
            seconds=SECONDS,
            max_redirects=0,
        )
        async with clients.open(issuer.reach, issuer.ca_file) as client:
            answer = await client.send(request)
        status = json.loads(answer.body)["status"] if answer.status in {200, 201} else None
    except (OutboundError, OSError, ValueError, KeyError, TypeError, RecursionError):
        status = None
    if not isinstance(status, dict):
        text = f"the API server of {issuer.source.alias} did not say whether the token counts: retry"
        raise Unavailable("ISSUER_UNAVAILABLE", text, retry_after=5)
    user, audiences = status.get("user"), status.get("audiences")
    # A reviewer that knows nothing of audiences returns none, and has then checked none.
    for_us = isinstance(audiences, list) and issuer.audience in audiences
    same = isinstance(user, dict) and user.get("username") == claims.get("sub")
    if status.get("authenticated") is not True or not for_us or not same:
        raise not_accepted(f"the API server of {issuer.source.alias} says that it counts no longer")
