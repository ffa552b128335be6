"""Page tokens and request ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport.v1 import policy_service_pb2 as pb
from release_passport_server.domain.access import Principal
from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.record import Page
from release_passport_server.wire.paging import next_token, page_from_request
from release_passport_server.wire.requests import body_digest, request_id_of

PRINCIPAL = Principal("user:ada", "acme", datetime(2030, 1, 1, tzinfo=UTC))
METHOD = "ListPolicies"


def after(principal: Principal, method: str, request: pb.ListPoliciesRequest) -> str:
    return page_from_request(principal, method, request).after


def token(key: str = "checkout", **fields: object) -> str:
    request = pb.ListPoliciesRequest(**fields)  # type: ignore[arg-type]
    return next_token(PRINCIPAL, METHOD, request, key)


@pytest.mark.parametrize(
    ("asked", "size"), [(0, 50), (-5, 50), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)]
)
def test_the_size_of_a_page_is_coerced(asked: int, size: int) -> None:
    assert page_from_request(PRINCIPAL, METHOD, pb.ListPoliciesRequest(page_size=asked)) == Page(size)


@given(st.text(min_size=1, max_size=200).filter(lambda key: "\x00" not in key))
def test_a_token_goes_on_after_its_key(key: str) -> None:
    request = pb.ListPoliciesRequest(page_size=7, page_token=token(key, page_size=3))
    assert page_from_request(PRINCIPAL, METHOD, request) == Page(7, key)


def test_at_the_end_there_is_no_token() -> None:
    assert token("") == ""


def test_a_token_is_of_one_tenant_method_and_filter() -> None:
    ours = token()
    good = pb.ListPoliciesRequest(page_token=ours)
    assert after(PRINCIPAL, METHOD, good) == "checkout"
    filtered = pb.ListPoliciesRequest(page_token=ours, show_deleted=True)
    for principal, method, request in (
        (replace(PRINCIPAL, tenant="beta"), METHOD, good),
        (PRINCIPAL, "ListServices", good),
        (PRINCIPAL, METHOD, filtered),
    ):
        with pytest.raises(Invalid) as refused:
            after(principal, method, request)
        assert refused.value.reason == "PAGE_TOKEN_INVALID"
        assert refused.value.violations[0].field == "page_token"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "%%%",
        "é",
        "A" * 2000,
        "AQ",
        token() + "=",
        token() + "A",
        token()[:-1],
        " " + token(),
        token()[::-1],
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        after(PRINCIPAL, METHOD, pb.ListPoliciesRequest(page_token=text))
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


@given(st.text(max_size=80))
def test_no_text_crashes_the_reading_of_tokens(text: str) -> None:
    request = pb.ListPoliciesRequest(page_token=text)
    try:
        page_from_request(PRINCIPAL, METHOD, request)
    except Invalid:
        assert text


@pytest.mark.parametrize("request_id", ["a", "~" * 128, "3f2c-1", '!"#'])
def test_a_request_id_is_visible_text(request_id: str) -> None:
    assert request_id_of(pb.CreatePolicyRequest(request_id=request_id)) == request_id


@pytest.mark.parametrize("request_id", ["a b", "a" * 129, "é", "a\n", "\x00", "\x7f"])
def test_another_request_id_is_refused(request_id: str) -> None:
    with pytest.raises(Invalid) as refused:
        request_id_of(pb.CreatePolicyRequest(request_id=request_id))
    assert refused.value.violations[0].field == "request_id"


def test_a_request_without_an_id_has_none() -> None:
    assert request_id_of(pb.ListPoliciesRequest()) == ""


def test_the_digest_of_a_request_is_of_its_fields() -> None:
    one, same, other = (pb.CreatePolicyRequest(tenant=tenant) for tenant in ("a", "a", "b"))
    assert body_digest(one) == body_digest(same) != body_digest(other)
