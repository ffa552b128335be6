"""Log lines are written once for each pass of the event loop, and at once where they must not wait."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest

from release_passport_server.logs import GatheredLines


class Stream(io.StringIO):
    """Remembers how often it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def log(stream: Stream) -> Iterator[logging.Logger]:
    logger = logging.getLogger("gathered")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler := GatheredLines(stream))
    yield logger
    logger.removeHandler(handler)


async def test_lines_of_one_pass_are_written_together(log: logging.Logger, stream: Stream) -> None:
    log.info("one")
    log.info("two")
    assert stream.writes == []
    await asyncio.sleep(0)
    assert stream.writes == ["one\ntwo\n"]
    log.info("three")
    await asyncio.sleep(0)
    assert stream.writes[1:] == ["three\n"]


async def test_a_warning_is_written_at_once_behind_what_came_before(
    log: logging.Logger, stream: Stream
) -> None:
    log.info("one")
    log.warning("two")
    assert stream.writes == ["one\ntwo\n"]


def test_outside_of_a_loop_nothing_waits(log: logging.Logger, stream: Stream) -> None:
    log.info("one")
    assert stream.writes == ["one\n"]


def test_what_one_loop_left_is_written_by_the_next(log: logging.Logger, stream: Stream) -> None:
    async def said(text: str, passes: int) -> None:
        log.info(text)
        for _ in range(passes):
            await asyncio.sleep(0)

    # No pass follows in which the first line could be written.
    loop = asyncio.new_event_loop()
    loop.call_soon(loop.stop)
    loop.call_soon(log.info, "one")
    loop.run_forever()
    loop.close()
    assert stream.writes == []
    asyncio.run(said("two", 1))
    assert stream.writes == ["one\ntwo\n"]


def test_a_stream_that_is_gone_stops_nothing(log: logging.Logger, stream: Stream) -> None:
    stream.close()
    stream.write = io.StringIO.write.__get__(stream)  # type: ignore[method-assign]
    log.info("one")
    log.warning("two")
