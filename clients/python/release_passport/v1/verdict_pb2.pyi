from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_ALLOW: _ClassVar[Verdict]
    VERDICT_ALLOW_WITH_CANARY: _ClassVar[Verdict]
    VERDICT_REQUIRE_APPROVAL: _ClassVar[Verdict]
    VERDICT_HOLD: _ClassVar[Verdict]
    VERDICT_BLOCK: _ClassVar[Verdict]
    VERDICT_ROLLBACK_RECOMMENDED: _ClassVar[Verdict]

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_PRE_ROLLOUT: _ClassVar[Stage]
    STAGE_WATCH: _ClassVar[Stage]

class PolicyMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLICY_MODE_UNSPECIFIED: _ClassVar[PolicyMode]
    POLICY_MODE_SHADOW: _ClassVar[PolicyMode]
    POLICY_MODE_ADVISORY: _ClassVar[PolicyMode]
    POLICY_MODE_ENFORCE: _ClassVar[PolicyMode]
VERDICT_UNSPECIFIED: Verdict
VERDICT_ALLOW: Verdict
VERDICT_ALLOW_WITH_CANARY: Verdict
VERDICT_REQUIRE_APPROVAL: Verdict
VERDICT_HOLD: Verdict
VERDICT_BLOCK: Verdict
VERDICT_ROLLBACK_RECOMMENDED: Verdict
STAGE_UNSPECIFIED: Stage
STAGE_PRE_ROLLOUT: Stage
STAGE_WATCH: Stage
POLICY_MODE_UNSPECIFIED: PolicyMode
POLICY_MODE_SHADOW: PolicyMode
POLICY_MODE_ADVISORY: PolicyMode
POLICY_MODE_ENFORCE: PolicyMode
