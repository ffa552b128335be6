"""Pages are filled from behind what is not shown, and never for ever."""

from __future__ import annotations

from collections.abc import Callable

from release_passport_server.domain.record import Listed, Page
from release_passport_server.services.filling import filled


def reading(count: int, calls: list[Page]) -> Callable[[Page], Listed[int]]:
    def read(page: Page) -> Listed[int]:
        calls.append(page)
        first = int(page.after or 0)
        items = tuple(range(first, min(first + page.size, count)))
        return Listed(items, str(first + page.size) if first + page.size < count else "")

    return read


def even(number: int) -> int | None:
    return number if number % 2 == 0 else None


def nothing(_: int) -> int | None:
    return None


def test_every_page_but_the_last_is_full_and_nothing_is_left_out() -> None:
    found: list[int] = []
    after = ""
    while True:
        listed = filled(reading(21, []), Page(2, after), even)
        found += listed.items
        after = listed.next_after
        if not after:
            break
        assert len(listed.items) == 2
    assert found == list(range(0, 21, 2))


def test_who_is_shown_nothing_is_told_to_go_on_after_a_while() -> None:
    calls: list[Page] = []
    listed = filled(reading(100_000, calls), Page(5), nothing)
    assert (listed.items, listed.next_after, len(calls)) == ((), "100", 20)
