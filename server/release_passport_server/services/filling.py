"""Fill pages: what a query cannot tell is passed over, and the page goes on behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from release_passport_server.domain.record import Listed, Page

T = TypeVar("T")
U = TypeVar("U")

# So many lists are passed over in one call, before whoever asks is told to go on with a page that is not full.
_PASSED_OVER = 20


def filled(
    read: Callable[[Page], Listed[T]],
    page: Page,
    shown: Callable[[T], U | None],
    *,
    lists: int = _PASSED_OVER,
) -> Listed[U]:
    """Return a full page of what is to be shown, as long as there is more; `shown` gives None for what is not."""
    items: list[U] = []
    after = page.after
    for _ in range(lists):
        listed = read(Page(page.size - len(items), after))
        items += [one for one in map(shown, listed.items) if one is not None]
        after = listed.next_after
        if not after or len(items) >= page.size:
            break
    return Listed(tuple(items), after)
