"""The commands about who may do what, each with the RPC that it is for and an answer of it."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport.v1 import access_pb2, access_service_pb2

A_ROLE = access_pb2.RoleBinding(name="tenants/acme/roleBindings/01H", principal="sa:ci", role="submitter")
A_RULING = access_pb2.BindingRuling(
    role_binding=A_ROLE, outcome=access_pb2.BINDING_OUTCOME_ALLOWS, rule=["role:submitter|checkout"]
)

ACCESS: list[tuple[tuple[str, ...], str, Message, str]] = [
    (
        ("access", "check", "read", "--principal", "sa:ci"),
        "CheckAccess",
        access_service_pb2.CheckAccessResponse(allowed=True, explanation="yes, as a submitter"),
        "yes",
    ),
    (
        ("access", "explain", "submit", "--principal", "sa:ci", "--kind", "sbom", "--service", "checkout"),
        "CheckAccess",
        access_service_pb2.CheckAccessResponse(
            allowed=True, explanation="sa:ci may submit", bindings=[A_RULING]
        ),
        "role:submitter|checkout",
    ),
    (
        ("access", "review", "--principal", "sa:ci"),
        "ReviewAccess",
        access_service_pb2.ReviewAccessResponse(
            access=[access_pb2.AccessEntry(role_binding=A_ROLE, verbs=["submit"])]
        ),
        "submitter",
    ),
]
