"""API token secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.adapters.tokens import hash_secret, issue_token, parse_token, secret_matches

TOKEN_ID = "01JQ5ZK3Y8V7C2M4N6P9R0S1T2"


def test_an_issued_token_is_read_back_and_matches_its_hash() -> None:
    issued = issue_token(TOKEN_ID)
    token = parse_token(issued.text)
    assert token is not None
    assert token.token_id == TOKEN_ID
    assert secret_matches(token, issued.secret_hash)


def test_another_token_with_the_same_id_does_not_match() -> None:
    token = parse_token(issue_token(TOKEN_ID).text)
    assert token is not None
    assert not secret_matches(token, issue_token(TOKEN_ID).secret_hash)


def test_what_is_kept_is_a_hash() -> None:
    issued = issue_token(TOKEN_ID)
    secret = issued.text[-43:]
    assert issued.secret_hash == hash_secret(secret)
    assert len(issued.secret_hash) == 32
    assert secret.encode() not in issued.secret_hash


def test_neither_representation_shows_the_secret() -> None:
    issued = issue_token(TOKEN_ID)
    secret = issued.text[-43:]
    assert secret not in repr(issued)
    assert secret not in repr(parse_token(issued.text))


def test_a_token_is_visible_ascii_without_what_shells_and_headers_mind() -> None:
    text = issue_token(TOKEN_ID).text
    assert text.startswith("rp1_01jq5zk3y8v7c2m4n6p9r0s1t2_")
    assert text.isascii()
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


VALID = f"rp1_{TOKEN_ID.lower()}_{'A' * 43}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rp1_",
        VALID[:-1],
        VALID + "A",
        VALID + "\n",
        VALID[:-1] + "\n",
        VALID[:-1] + "B",
        "rp2" + VALID[3:],
        VALID.upper(),
        VALID.replace("jq", "ju"),
        "rp1_8" + VALID[5:],
        "rp1-" + VALID[4:],
        VALID[:-1] + "\u0410",
        VALID.replace("_A", "\x00A"),
        "A" * 1_000_000,
    ],
)
def test_a_malformed_token_is_none(text: str) -> None:
    assert parse_token(VALID) is not None
    assert parse_token(text) is None


@given(st.text(max_size=100))
def test_no_text_makes_parsing_fail(text: str) -> None:
    parse_token(text)
    assert parse_token(text + "~") is None
