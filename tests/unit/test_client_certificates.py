"""What a client certificate proves, whichever handshake has let it through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from release_passport_server.adapters.x509.reader import MAX_NAMES, ClientCertificates
from release_passport_server.domain.errors import Unauthenticated
from release_passport_server.domain.identity import Kind, Source
from support.authority import FOR_CLIENTS, FOR_SERVERS, Authority, spiffe

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
AUTHORITY = Authority()


@dataclass(frozen=True)
class At:
    """A clock that stands."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


def reader(time: datetime = NOW) -> ClientCertificates:
    return ClientCertificates(Source("mesh", Kind.SERVICE_ACCOUNT, "{spiffe}", (), {}), At(time))


def test_both_forms_say_the_same() -> None:
    pem = AUTHORITY.issue("gate", spiffe("ns/shop/sa/ci"), x509.DNSName("gate.test")).certificate
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    found = reader().read(pem)
    assert found == reader().read(der)
    assert found.claims == {
        "subject": "CN=gate",
        "common_name": "gate",
        "dns": ["gate.test"],
        "email": [],
        "uri": ["spiffe://prod.test/ns/shop/sa/ci"],
        "spiffe": "spiffe://prod.test/ns/shop/sa/ci",
        "trust_domain": "prod.test",
        "path": "ns/shop/sa/ci",
    }
    assert int(found.credential, 16) == x509.load_pem_x509_certificate(pem).serial_number


@pytest.mark.parametrize(
    "uris",
    [
        ["spiffe://prod.test/a", "spiffe://prod.test/b"],
        ["spiffe://prod.test/a", "https://prod.test"],
        ["spiffe://Prod.test/a"],
        ["spiffe://prod.test:443/a"],
        ["spiffe://user@prod.test/a"],
        ["spiffe://prod.test/a/"],
        ["spiffe://prod.test/a//b"],
        ["spiffe://prod.test/a/../b"],
        ["spiffe://prod.test/a?b"],
        ["spiffe://prod.test/a%2Fb"],
        ["https://prod.test/a"],
    ],
)
def test_what_is_no_spiffe_id(uris: list[str]) -> None:
    names = [x509.UniformResourceIdentifier(uri) for uri in uris]
    assert "spiffe" not in reader().read(AUTHORITY.issue("x", *names).certificate).claims


def test_a_certificate_counts_within_its_time_alone_also_on_an_open_connection() -> None:
    end = NOW + timedelta(hours=1)
    pem = AUTHORITY.issue("x", end=end).certificate
    assert reader().read(pem).expire_time == end
    for time in (end, datetime(2019, 1, 1, tzinfo=UTC)):
        with pytest.raises(Unauthenticated, match="not valid at this time"):
            reader(time).read(pem)


def test_purposes_and_authorities() -> None:
    reader().read(AUTHORITY.issue("x", purposes=[FOR_CLIENTS, FOR_SERVERS]).certificate)
    for pem, why in (
        (AUTHORITY.issue("x", purposes=[FOR_SERVERS]).certificate, "not made for clients"),
        (AUTHORITY.issue("x", ca=True).certificate, "authority's"),
        (AUTHORITY.pem, "authority's"),
        (
            AUTHORITY.issue("x", *[x509.DNSName(f"n{n}.test") for n in range(MAX_NAMES + 1)]).certificate,
            "names",
        ),
        (b"-----BEGIN CERTIFICATE-----\nhalf", "cannot be read"),
        (b"0\x82", "cannot be read"),
    ):
        with pytest.raises(Unauthenticated, match=why):
            reader().read(pem)
