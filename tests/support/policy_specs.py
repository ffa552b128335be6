"""Policies as their authors write them, as small as they can be."""

from __future__ import annotations

from google.protobuf.json_format import ParseDict

from release_passport.v1 import policy_pb2

Fields = dict[str, object]


def need(**fields: object) -> Fields:
    """Return a need of quiet in the incident system."""
    return {"kind": "incident_state", "sources": ["connector:pager"], **fields}


def rule(**fields: object) -> Fields:
    """Return a rule that expects no open incident."""
    return {
        "ruleId": "rule",
        "needs": [need()],
        "expect": "evidence.incident_state.open_count == 0",
        **_named(fields),
    }


def spec(**fields: object) -> policy_pb2.PolicySpec:
    """Return an enforced policy with one rule, as ProtoJSON reads it."""
    return ParseDict(
        {"mode": 3, "title": "No open incident", "rules": [rule()], **fields}, policy_pb2.PolicySpec()
    )


def _named(fields: Fields) -> Fields:
    return {"ruleId" if name == "rule_id" else name: value for name, value in fields.items()}
