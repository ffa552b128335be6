"""The JSON mapping that facts are digested by is protobuf's own, for every message that facts can hold."""

from __future__ import annotations

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from release_passport.v1 import evidence_pb2, policy_pb2
from release_passport_server.wire.json_mapping import json_mapping
from support.messages import messages


@pytest.mark.parametrize("kind", evidence_pb2.EvidenceFacts.DESCRIPTOR.fields_by_name)
@given(data=st.data())
def test_facts_of_every_kind_are_mapped_as_protobuf_maps_them(kind: str, data: st.DataObject) -> None:
    facts = evidence_pb2.EvidenceFacts()
    message = data.draw(messages(getattr(facts, kind).DESCRIPTOR))
    getattr(facts, kind).CopyFrom(message)
    # As text, in which 1, 1.0 and True are not the same.
    assert repr(json_mapping(facts)) == repr(MessageToDict(facts))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(policy_pb2.PolicyMatch(service_labels={"tier": "1"}), id="a map"),
        pytest.param(policy_pb2.CanaryConstraints(max_weight=5, steps=[1, 5]), id="a small integer"),
        pytest.param(evidence_pb2.EvidenceInput(bundle=b"\x00\xff"), id="bytes"),
        pytest.param(Timestamp(seconds=1), id="a time by itself"),
    ],
)
def test_other_messages_are_mapped_as_protobuf_maps_them(message: Message) -> None:
    assert json_mapping(message) == MessageToDict(message)
