"""ULIDs and resource names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.ids import (
    APITokenName,
    AttemptName,
    DecisionName,
    EnvironmentName,
    EvidenceName,
    ObserveOnlyBindingName,
    PolicyName,
    ReleaseName,
    RoleBindingName,
    ServiceName,
    TenantName,
    is_slug,
    is_ulid,
    is_version,
    ulid,
)

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
ULID = "01JQ5ZK3Y8V7C2M4N6P9R0S1T2"
RELEASE = ReleaseName("acme", "checkout", "prod", "v1.4.2+b7")

NAMES = [
    ("tenants/acme", TenantName("acme")),
    ("tenants/acme/services/checkout", ServiceName("acme", "checkout")),
    ("tenants/acme/environments/prod", EnvironmentName("acme", "prod")),
    ("tenants/acme/services/checkout/environments/prod/releases/v1.4.2+b7", RELEASE),
    (f"{RELEASE}/attempts/12", AttemptName(RELEASE, 12)),
    (f"{RELEASE}/decisions/{ULID}", DecisionName(RELEASE, ULID)),
    (f"tenants/acme/evidence/{ULID}", EvidenceName("acme", ULID)),
    ("tenants/acme/policies/baseline-provenance", PolicyName("acme", "baseline-provenance")),
    (f"tenants/acme/apiTokens/{ULID}", APITokenName("acme", ULID)),
    (f"tenants/acme/roleBindings/{ULID}", RoleBindingName("acme", ULID)),
    (
        f"tenants/acme/services/checkout/environments/prod/observeOnlyBindings/{ULID}",
        ObserveOnlyBindingName("acme", "checkout", "prod", ULID),
    ),
]

PARSERS: list[Callable[[str], object]] = [type(value).parse for _, value in NAMES]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("text", "value"), NAMES)
def test_a_name_is_read_as_it_is_written(text: str, value: object) -> None:
    assert str(value) == text
    assert type(value).parse(text) == value  # type: ignore[attr-defined]


@pytest.mark.parametrize(("text", "value"), NAMES)
def test_a_name_of_one_kind_is_none_of_another(text: str, value: object) -> None:
    for parse in PARSERS:
        if parse != type(value).parse:  # type: ignore[attr-defined]
            with pytest.raises(Invalid):
                parse(text)


@pytest.mark.parametrize(("text", "value"), NAMES)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text + "\n",
        lambda text: text + ".",
        lambda text: text + "/",
        lambda text: text + " ",
        lambda text: "/" + text,
        lambda text: " " + text,
        lambda text: text.replace("tenants", "Tenants"),
        lambda text: text.replace("acme", "Acme"),
        lambda text: text.replace("acme", "аcme"),  # noqa: RUF001
        lambda text: text.replace("acme", ""),
        lambda text: text.replace("acme", "-acme"),
        lambda text: text.replace("acme", "acme-"),
        lambda text: text.replace("acme", "a" * 64),
        lambda text: text.replace("acme", "*"),
        lambda text: text.replace("acme", ".."),
        lambda text: text.replace("acme", "a/../acme"),
        lambda text: text.replace("/", "//", 1),
        lambda text: text.replace("/", "%2F", 1),
        lambda text: text.replace("/", "\u2215", 1),
        lambda text: text.replace("a", "a\u0301", 1),
        lambda text: text.replace("a", "a\x00", 1),
        lambda text: text + "x" * 1_000_000,
    ],
)
def test_a_spoilt_name_is_refused_with_its_field(
    text: str, value: object, spoil: Callable[[str], str]
) -> None:
    # A dot may end the version of a release, which is a name of its own.
    if spoil(text) == f"{RELEASE}.":
        return
    with pytest.raises(Invalid) as refused:
        type(value).parse(spoil(text), field="evidence.name")  # type: ignore[attr-defined]
    assert refused.value.reason == "INVALID_FIELDS"
    assert [v.field for v in refused.value.violations] == ["evidence.name"]
    assert len(refused.value.message) < 700


@pytest.mark.parametrize("number", ["0", "01", "-1", "1.0", "1234567890", "\u0663", ""])
def test_an_attempt_number_is_a_plain_positive_integer(number: str) -> None:
    with pytest.raises(Invalid):
        AttemptName.parse(f"{RELEASE}/attempts/{number}")


@pytest.mark.parametrize("text", ["a", "a1", "checkout-api", "a" * 63, "a-1--b"])
def test_these_are_slugs(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize("text", ["", "1a", "-a", "a-", "a.b", "a_b", "A", "a" * 64, "a\n", "prod.", "ﬁ"])
def test_these_are_no_slugs(text: str) -> None:
    assert not is_slug(text)


@pytest.mark.parametrize("text", ["1", "v1.4.2", "1.0.0-rc.1+build.7", "A_b", "a" * 127])
def test_these_are_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize("text", ["", ".1", "-1", "+1", "a" * 128, "1/2", "1 2", "1\n", "v\u0661", "1@2"])
def test_these_are_no_versions(text: str) -> None:
    assert not is_version(text)


def test_a_ulid_is_the_example_of_its_specification_in_time() -> None:
    assert ulid(datetime.fromtimestamp(1469918176.385, tz=UTC), bytes(10)) == "01ARYZ6S41" + "0" * 16
    assert ulid(NOW, b"\xff" * 10)[10:] == "Z" * 16


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1)),
    st.binary(min_size=10, max_size=10),
)
def test_every_ulid_is_one_and_later_ones_sort_later(time: datetime, random: bytes) -> None:
    aware = time.replace(tzinfo=UTC)
    first = ulid(aware, random)
    assert is_ulid(first)
    assert first < ulid(aware + timedelta(milliseconds=1), bytes(10))


@pytest.mark.parametrize(("now", "random"), [(NOW, bytes(9)), (NOW, bytes(11))])
def test_a_ulid_takes_ten_random_bytes(now: datetime, random: bytes) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        ulid(now, random)


def test_a_ulid_holds_no_time_before_1970() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        ulid(datetime(1969, 12, 31, tzinfo=UTC), bytes(10))


@pytest.mark.parametrize("text", ["", ULID.lower(), ULID + "0", ULID[:-1], "8" + ULID[1:], ULID[:-1] + "U"])
def test_these_are_no_ulids(text: str) -> None:
    assert not is_ulid(text)
