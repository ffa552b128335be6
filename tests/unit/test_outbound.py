"""Where the server may go by itself."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.domain.outbound import (
    Origin,
    OriginInvalid,
    OutboundError,
    OutboundFailure,
    Reach,
    address_problem,
    refused,
)

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "64:ff9b::a00:1",
]
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "::ffff:0.0.0.0",
    "224.0.0.1",
    "239.1.1.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::1",
    "64:ff9b:1::1",
    "::7f00:1",
    "192.0.2.1",
    "2001:db8::1",
]
OUTSIDE = [
    "93.184.216.34",
    "8.8.8.8",
    "2606:2800:220:1::1",
    "::ffff:8.8.8.8",
    "172.32.0.1",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("text", INSIDE)
def test_this_network_is_reached_only_where_that_is_configured(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert address_problem(address, internal=False)
    assert address_problem(address, internal=True) is None


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_never_reached(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert address_problem(address, internal=False)
    assert address_problem(address, internal=True)


@pytest.mark.parametrize("text", OUTSIDE)
def test_the_internet_is_reached(text: str) -> None:
    assert address_problem(ipaddress.ip_address(text), internal=False) is None


@given(st.ip_addresses())
def test_what_is_not_on_the_internet_is_not_reached(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global and getattr(address, "ipv4_mapped", None) is None:
        assert address_problem(address, internal=False)


@given(st.ip_addresses(v=4))
def test_an_address_written_as_ipv6_is_the_same_address(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    for internal in (False, True):
        assert address_problem(mapped, internal=internal) == address_problem(address, internal=internal)


def test_one_refused_address_makes_all_of_a_name_suspect() -> None:
    assert refused(["8.8.8.8", "169.254.169.254"], internal=True) == (
        "169.254.169.254",
        "a cloud's metadata service",
    )
    assert refused(["8.8.8.8", "1.1.1.1"], internal=False) is None
    assert refused(["fe80::1%eth0"], internal=True) is not None
    assert refused(["not an address"], internal=True) == ("not an address", "no address")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "//host/",
        "https://",
        "https:///path",
        "https://user@host/",
        "https://user:secret@host/",
        "https://host:0/",
        "https://host:99999/",
        "https://host:x/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://1.2.3.4.5/",
        "https://host.0x1/",
        "https://host./",
        "https://ho st/",
        "https://host\\@other/",
        "https://host/\r\nX: y",
        "https://höst/",
        "https://ho%2estt/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
        f"https://{'a' * 64}.example/",
        f"https://{'.'.join(['a' * 60] * 5)}/",
        "https://a..b/",
        "https://-a.example/",
    ],
)
def test_a_url_that_readers_could_differ_about_is_refused(url: str) -> None:
    with pytest.raises(OriginInvalid):
        Origin.of(url)


def test_origins_are_compared_as_they_are_meant() -> None:
    assert Origin.of("HTTPS://Host.Example/a") == Origin("https", "host.example", 443)
    assert Origin.of("http://[0:0:0:0:0:0:0:1]:8080/") == Origin("http", "::1", 8080)
    assert str(Origin.of("http://[::1]:8080/x?y")) == "http://[::1]:8080"
    assert str(Origin.of("https://host:443/x?y")) == "https://host"


def failure(reach: Reach, url: str, redirected_from: str = "") -> OutboundFailure:
    with pytest.raises(OutboundError) as raised:
        reach.find(url, redirected_from=redirected_from)
    assert raised.value.reason == "OUTBOUND_FAILED"
    return raised.value.failure


def test_a_client_goes_nowhere_but_to_its_origins() -> None:
    reach = Reach(
        (Origin.of("https://registry.example", internal=True), Origin.of("https://auth.example:8443"))
    )
    assert reach.find("https://registry.example/v2/").internal
    assert reach.find("https://auth.example:8443/token").port == 8443
    for url in ("https://other.example/", "http://registry.example/", "https://registry.example:444/"):
        assert failure(reach, url) is OutboundFailure.HOST_REFUSED
    assert failure(reach, "https://registry.example@evil.example/") is OutboundFailure.URL_REFUSED


def test_a_redirect_leads_to_public_hosts_by_https_only_where_that_is_configured() -> None:
    origin = Origin.of("https://registry.example")
    asked = "https://registry.example/v2/"
    strict, open_ = Reach((origin,)), Reach((origin,), public_redirects=True)
    assert failure(strict, "https://blobs.example/1", asked) is OutboundFailure.REDIRECT_REFUSED
    assert not open_.find("https://blobs.example/1", redirected_from=asked).internal
    for url in ("http://blobs.example/", "https://blobs.example:8443/", "http://registry.example/"):
        assert failure(open_, url, asked) is OutboundFailure.REDIRECT_REFUSED


def test_a_redirect_never_leaves_https_even_to_a_configured_origin() -> None:
    reach = Reach((Origin.of("https://a.example"), Origin.of("http://a.example")))
    assert reach.find("http://a.example/").scheme == "http"
    assert failure(reach, "http://a.example/", "HTTPS://a.example/") is OutboundFailure.REDIRECT_REFUSED
