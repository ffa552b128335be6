"""Times between messages and the standard library are the ones that protobuf makes."""

from __future__ import annotations

from datetime import UTC

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.wire.times import moment, timestamp

SECONDS = st.integers(-62_135_596_800, 253_402_300_799)


@given(seconds=SECONDS, nanos=st.integers(0, 999_999_999))
def test_a_moment_is_what_protobuf_makes_of_it(seconds: int, nanos: int) -> None:
    message = Timestamp(seconds=seconds, nanos=nanos)
    assert moment(message) == message.ToDatetime(tzinfo=UTC)
    assert timestamp(moment(message)) == Timestamp(seconds=seconds, nanos=nanos // 1000 * 1000)


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(-62_135_596_801, 0), (253_402_300_800, 0), (2**63 - 1, 0), (0, -1), (0, 1_000_000_000)],
)
def test_a_time_that_is_none_has_no_moment(seconds: int, nanos: int) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        moment(Timestamp(seconds=seconds, nanos=nanos))
