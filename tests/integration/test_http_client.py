"""The one client that calls others: where it goes, what it sends there, and how much it takes from there."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from release_passport_server.adapters.http.client import GuardedClient, GuardedClients
from release_passport_server.domain.outbound import Origin, OutboundError, OutboundFailure, Reach
from release_passport_server.ports.http import HTTPRequest
from support.certificates import Certificates
from support.http_peer import Asked, Peer, Write, peer, reply


class Names:
    """A resolver with answers of the test's own; each call uses up one, and the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(rows) for name, rows in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host == "127.0.0.1":
            return [host]
        if host not in self.answers:
            raise OSError("unknown")
        rows = self.answers[host]
        return rows.pop(0) if len(rows) > 1 else rows[0]


@asynccontextmanager
async def client_of(
    *urls: str, names: Names | None = None, ca_file: Path | None = None, internal: bool = True, **more: Any
) -> AsyncIterator[GuardedClient]:
    reach = Reach(tuple(Origin.of(url, internal=internal) for url in urls), **more)
    async with GuardedClients("release-passport/test", names or Names()).open(reach, ca_file) as client:
        yield client


async def failure_of(client: GuardedClient, url: str, **more: Any) -> OutboundFailure:
    with pytest.raises(OutboundError) as raised:
        await client.send(HTTPRequest(url, **more))
    assert "s3cret" not in raised.value.message
    return raised.value.failure


async def test_an_answer_comes_with_status_headers_and_body() -> None:
    answers = reply(b"{}", 404, "No", Content_Type="Application/JSON; charset=utf-8")
    async with peer(answers) as it, client_of(it.url()) as client:
        answer = await client.send(HTTPRequest(it.url("/a?b=c"), accept=("application/json",)))
    assert (answer.status, answer.body, answer.media_type, answer.url) == (
        404,
        b"{}",
        "application/json",
        it.url("/a?b=c"),
    )
    (asked,) = it.asked
    assert (asked.method, asked.target) == ("GET", "/a?b=c")
    assert asked.headers == {
        "host": f"127.0.0.1:{it.port}",
        "user-agent": "release-passport/test",
        "accept": "application/json",
        "accept-encoding": "gzip",
    }


async def test_a_body_is_sent_with_its_headers_and_the_credential() -> None:
    async with peer(reply(status=204)) as it, client_of(it.url()) as client:
        request = HTTPRequest(
            it.url(), "POST", {"Content-Type": "application/json"}, "Bearer s3cret", b'{"a":1}'
        )
        assert (await client.send(request)).status == 204
    (asked,) = it.asked
    assert asked.body == b'{"a":1}'
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(request)


async def test_connections_are_kept_and_cookies_are_not() -> None:
    names = Names(api_test=[["127.0.0.1"]])
    async with peer(reply(b"x", Set_Cookie="a=b")) as it:
        url = it.url(host="api.test")
        async with client_of(url, names=names) as client:
            for _ in range(3):
                await client.send(HTTPRequest(url))
    assert names.asked == ["api.test"]
    assert [asked.headers.get("cookie") for asked in it.asked] == [None] * 3


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(reply(b"mine")) as it, peer(reply(b"the proxy's")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        async with client_of(it.url()) as client:
            assert (await client.send(HTTPRequest(it.url()))).body == b"mine"
    assert proxy.asked == []


async def test_a_host_that_is_not_configured_is_not_called() -> None:
    async with peer(reply(b"x")) as it, peer(reply(b"x")) as other, client_of(it.url()) as client:
        assert await failure_of(client, other.url()) is OutboundFailure.HOST_REFUSED
        assert await failure_of(client, it.url(host="localhost")) is OutboundFailure.HOST_REFUSED
    assert other.asked == []


async def test_a_name_that_leads_inside_is_not_called_unless_that_is_configured() -> None:
    names = Names(api_test=[["127.0.0.1"]])
    async with peer(reply(b"x")) as it:
        url = it.url(host="api.test")
        async with client_of(url, names=names, internal=False) as client:
            assert await failure_of(client, url) is OutboundFailure.ADDRESS_REFUSED
        async with client_of(url, names=names) as client:
            assert (await client.send(HTTPRequest(url))).status == 200
    assert len(it.asked) == 1


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "0.0.0.0", "fe80::1", "::ffff:169.254.169.254", "224.0.0.1"]
)
async def test_no_name_leads_to_the_metadata_service(address: str) -> None:
    names = Names(api_test=[[address], ["8.8.8.8", address], ["127.0.0.1", address]])
    async with client_of("http://api.test", names=names) as client:
        for _ in range(3):
            assert await failure_of(client, "http://api.test") is OutboundFailure.ADDRESS_REFUSED


async def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    """A second answer of the name server, for another address, is never asked for or is checked itself."""
    names = Names(rebind_test=[["127.0.0.1"], ["169.254.169.254"]])

    async def closes(_: Asked, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx")

    async with peer(closes) as it:
        url = it.url(host="rebind.test")
        async with client_of(url, names=names) as client:
            assert (await client.send(HTTPRequest(url))).body == b"x"
            assert names.asked == ["rebind.test"]
            assert await failure_of(client, url) is OutboundFailure.ADDRESS_REFUSED
    assert it.asked[0].headers["host"] == f"rebind.test:{it.port}"
    assert len(it.asked) == 1


async def test_an_unknown_name_and_a_closed_port_say_so() -> None:
    async with peer(reply()) as it:
        gone = it.url()
    async with client_of("http://nowhere.test", gone) as client:
        assert await failure_of(client, "http://nowhere.test") is OutboundFailure.NAME_UNKNOWN
        assert await failure_of(client, gone) is OutboundFailure.CONNECT_FAILED


async def test_a_redirect_inside_the_host_keeps_the_credential() -> None:
    async def moved(asked: Asked, write: Write) -> None:
        await (reply(b"here") if asked.target == "/b" else reply(status=307, Location="/b#part"))(
            asked, write
        )

    async with peer(moved) as it, client_of(it.url()) as client:
        answer = await client.send(
            HTTPRequest(it.url("/a"), credential="Bearer s3cret", headers={"X-A": "1"})
        )
    assert (answer.body, answer.url) == (b"here", it.url("/b"))
    assert [asked.headers["authorization"] for asked in it.asked] == ["Bearer s3cret"] * 2
    assert it.asked[1].headers["x-a"] == "1"


async def test_a_redirect_to_another_host_takes_nothing_along() -> None:
    async with (
        peer(reply(b"blob")) as other,
        peer(reply(status=302, Location=other.url("/b"))) as it,
        client_of(it.url(), other.url()) as client,
    ):
        request = HTTPRequest(it.url(), headers={"Private-Token": "s3cret"}, credential="Basic s3cret")
        assert (await client.send(request)).body == b"blob"
    assert set(other.asked[0].headers) == {"host", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize(
    ("location", "public", "expected"),
    [
        ("http://169.254.169.254/latest/meta-data/", False, OutboundFailure.REDIRECT_REFUSED),
        ("http://169.254.169.254/latest/meta-data/", True, OutboundFailure.REDIRECT_REFUSED),
        ("https://169.254.169.254/latest/meta-data/", True, OutboundFailure.ADDRESS_REFUSED),
        ("https://inside.test/", True, OutboundFailure.ADDRESS_REFUSED),
        ("https://2852039166/", True, OutboundFailure.URL_REFUSED),
        ("file:///etc/passwd", True, OutboundFailure.URL_REFUSED),
        ("gopher://127.0.0.1:6379/_INFO", True, OutboundFailure.URL_REFUSED),
        ("//evil@127.0.0.1/", True, OutboundFailure.URL_REFUSED),
    ],
)
async def test_a_redirect_cannot_lead_astray(location: str, public: bool, expected: OutboundFailure) -> None:
    names = Names(inside_test=[["10.0.0.1"]])
    names.answers["169.254.169.254"] = [["169.254.169.254"]]
    async with (
        peer(reply(status=302, Location=location)) as it,
        client_of(it.url(), names=names, public_redirects=public) as client,
    ):
        assert await failure_of(client, it.url()) is expected


async def test_redirects_end_and_a_post_is_not_sent_twice() -> None:
    async with peer(reply(status=302, Location="/again")) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url(), max_redirects=2) is OutboundFailure.REDIRECT_REFUSED
        assert len(it.asked) == 3
        assert (
            await failure_of(client, it.url(), method="POST", body=b"x") is OutboundFailure.REDIRECT_REFUSED
        )
        assert len(it.asked) == 4


async def test_an_answer_that_is_too_large_is_not_read() -> None:
    async def announces(_: Asked, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n")

    async with peer(announces) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url()) is OutboundFailure.TOO_LARGE
        it.answer = reply(b"x" * 100)
        assert len((await client.send(HTTPRequest(it.url(), max_bytes=100))).body) == 100
        assert await failure_of(client, it.url(), max_bytes=99) is OutboundFailure.TOO_LARGE


async def test_an_endless_answer_is_broken_off() -> None:
    sent = 0

    async def endless(_: Asked, write: Write) -> None:
        nonlocal sent
        await write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            sent += 0x1000

    async with peer(endless) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url(), max_bytes=1 << 20) is OutboundFailure.TOO_LARGE
    # What the system's buffers hold comes on top.
    assert sent < 1 << 25


async def test_endless_headers_are_broken_off() -> None:
    async def endless(_: Asked, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\n")
        while True:
            await write(b"x-header: " + b"y" * 4096 + b"\r\n")

    async with peer(endless) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url()) is OutboundFailure.PROTOCOL_BROKEN


async def test_a_packed_answer_is_unpacked() -> None:
    packed = gzip.compress(b"hello" * 1000, mtime=0)
    async with peer(reply(packed, Content_Encoding="GZIP")) as it, client_of(it.url()) as client:
        assert (await client.send(HTTPRequest(it.url()))).body == b"hello" * 1000


async def test_a_bomb_is_not_unpacked_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = 0
    made = zlib.decompressobj

    class Watched:
        def __init__(self, bits: int) -> None:
            self._inner = made(bits)

        def decompress(self, data: bytes, most: int = 0) -> bytes:
            nonlocal largest
            found = self._inner.decompress(data, most)
            largest = max(largest, len(found))
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    bomb = gzip.compress(bytes(1 << 28))
    async with peer(reply(bomb, Content_Encoding="gzip")) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url(), max_bytes=1 << 20) is OutboundFailure.TOO_LARGE
    assert 0 < largest <= (1 << 20) + 1


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (gzip.compress(b"hello", mtime=0)[:-9], "gzip", OutboundFailure.PROTOCOL_BROKEN),
        (b"hello", "gzip", OutboundFailure.PROTOCOL_BROKEN),
        (gzip.compress(b"a", mtime=0) + b"tail", "gzip", OutboundFailure.PROTOCOL_BROKEN),
        (b"hello", "br", OutboundFailure.CONTENT_REFUSED),
        (b"hello", "gzip, gzip", OutboundFailure.CONTENT_REFUSED),
    ],
)
async def test_a_wrongly_packed_answer_is_refused(
    body: bytes, encoding: str, expected: OutboundFailure
) -> None:
    async with peer(reply(body, Content_Encoding=encoding)) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url()) is expected


async def test_a_slow_drip_does_not_outlive_the_time_for_all() -> None:
    ended = asyncio.Event()

    async def drips(_: Asked, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while True:
                await write(b"x")
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    async with peer(drips) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url(), seconds=0.1) is OutboundFailure.TIMED_OUT
        # The connection is closed, not left to drip on.
        await ended.wait()


async def test_a_name_server_that_does_not_answer_is_not_waited_for() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    reach = Reach((Origin.of("https://api.test"),))
    async with GuardedClients("test", never).open(reach) as client:
        assert await failure_of(client, "https://api.test", seconds=0.05) is OutboundFailure.TIMED_OUT


@pytest.mark.parametrize(
    "raw", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b""]
)
async def test_what_is_not_http_is_refused(raw: bytes) -> None:
    async def answers(_: Asked, write: Write) -> None:
        await write(raw)
        raise ConnectionError

    async with peer(answers) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url()) is OutboundFailure.PROTOCOL_BROKEN


async def test_another_type_of_content_than_asked_for_is_refused() -> None:
    async with peer(reply(b"<html>", Content_Type="text/html")) as it, client_of(it.url()) as client:
        accept = ("application/json",)
        assert await failure_of(client, it.url(), accept=accept) is OutboundFailure.CONTENT_REFUSED


@pytest.mark.parametrize("credential", ["Bearer s3cret\r\nX: y", "Bearer s3crét"])
async def test_a_credential_that_is_no_header_is_not_sent_and_not_told(credential: str) -> None:
    async with peer(reply()) as it, client_of(it.url()) as client:
        assert await failure_of(client, it.url(), credential=credential) is OutboundFailure.URL_REFUSED
    assert it.asked == []


@asynccontextmanager
async def secure(certificates: Certificates) -> AsyncIterator[Peer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.server_certificate, certificates.server_key)
    async with peer(reply(b"x"), tls) as it:
        yield it


async def test_certificates_are_verified_for_the_name_that_was_asked_for(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path)
    names = Names(localhost=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    async with secure(certificates) as it:
        right, wrong = it.url(host="localhost"), it.url(host="other.test")
        async with client_of(right, wrong, names=names, ca_file=certificates.authority) as client:
            assert (await client.send(HTTPRequest(right))).body == b"x"
            assert await failure_of(client, wrong) is OutboundFailure.TLS_FAILED
        async with client_of(right, names=names) as client:
            assert await failure_of(client, right) is OutboundFailure.TLS_FAILED


async def test_plaintext_behind_https_and_missing_authorities_say_so(tmp_path: Path) -> None:
    async with peer(reply()) as it:
        url = f"https://127.0.0.1:{it.port}/"
        async with client_of(url) as client:
            assert await failure_of(client, url) is OutboundFailure.TLS_FAILED
    with pytest.raises(OutboundError, match="no certificates can be read"):
        async with client_of("https://api.test", ca_file=tmp_path / "none.pem"):
            pass
