"""Lists that come in pages, read up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import click

from release_passport.cli.session import Session

_PAGE = 1000


class _Request(Protocol):
    page_size: int
    page_token: str


class _Response(Protocol):
    next_page_token: str


Ask = TypeVar("Ask", bound=_Request)
Answer = TypeVar("Answer", bound=_Response)


def limit_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that says how many to list."""
    return click.option(
        "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many at most."
    )(command)


def read_pages(
    session: Session, call: Callable[[Ask], Answer], request: Ask, field: str, limit: int
) -> list[Any]:
    """Return the items of all pages up to the limit, and say so when there are more."""
    items: list[Any] = []
    while True:
        request.page_size = min(limit - len(items), _PAGE)
        answer = call(request)
        page = getattr(answer, field)
        items += page
        if not answer.next_page_token or len(items) >= limit or answer.next_page_token == request.page_token:
            break
        request.page_token = answer.next_page_token
    if answer.next_page_token:
        session.notice(f"there are more than {len(items)}; --limit shows more")
    return items[:limit]
