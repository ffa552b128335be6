"""Names of what people record; those about one release stand under it."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.ids import RELEASE_FORM, ReleaseName, parts, template

_APPROVALNAME = template(f"{RELEASE_FORM}/approvals/{{ulid}}")
_OVERRIDENAME = template(f"{RELEASE_FORM}/overrides/{{ulid}}")
_FREEZEEXEMPTIONNAME = template(f"{RELEASE_FORM}/freezeExemptions/{{ulid}}")
_WAIVERNAME = template("tenants/{tenant}/waivers/{ulid}")
_FREEZENAME = template("tenants/{tenant}/freezes/{ulid}")
_GROUPNAME = template("tenants/{tenant}/groups/{group}")
_POLICYCHANGENAME = template("tenants/{tenant}/policyChanges/{ulid}")


@dataclass(frozen=True, slots=True)
class ApprovalName:
    """{release}/approvals/{ulid}"""

    release: ReleaseName
    approval_id: str

    def __str__(self) -> str:
        return f"{self.release}/approvals/{self.approval_id}"

    @property
    def tenant(self) -> str:
        """Return the tenant's id."""
        return self.release.tenant

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> ApprovalName:
        """Return the parts of a vote's name; raise Invalid."""
        *release, last = parts(_APPROVALNAME, text, field)
        return cls(ReleaseName(*release), last)


@dataclass(frozen=True, slots=True)
class OverrideName:
    """{release}/overrides/{ulid}"""

    release: ReleaseName
    override_id: str

    def __str__(self) -> str:
        return f"{self.release}/overrides/{self.override_id}"

    @property
    def tenant(self) -> str:
        """Return the tenant's id."""
        return self.release.tenant

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> OverrideName:
        """Return the parts of an override's name; raise Invalid."""
        *release, last = parts(_OVERRIDENAME, text, field)
        return cls(ReleaseName(*release), last)


@dataclass(frozen=True, slots=True)
class FreezeExemptionName:
    """{release}/freezeExemptions/{ulid}"""

    release: ReleaseName
    exemption_id: str

    def __str__(self) -> str:
        return f"{self.release}/freezeExemptions/{self.exemption_id}"

    @property
    def tenant(self) -> str:
        """Return the tenant's id."""
        return self.release.tenant

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> FreezeExemptionName:
        """Return the parts of an exemption's name; raise Invalid."""
        *release, last = parts(_FREEZEEXEMPTIONNAME, text, field)
        return cls(ReleaseName(*release), last)


@dataclass(frozen=True, slots=True)
class WaiverName:
    """tenants/{tenant}/waivers/{ulid}"""

    tenant: str
    waiver_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/waivers/{self.waiver_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> WaiverName:
        """Return the parts of a waiver's name; raise Invalid."""
        return cls(*parts(_WAIVERNAME, text, field))


@dataclass(frozen=True, slots=True)
class FreezeName:
    """tenants/{tenant}/freezes/{ulid}"""

    tenant: str
    freeze_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/freezes/{self.freeze_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> FreezeName:
        """Return the parts of a freeze's name; raise Invalid."""
        return cls(*parts(_FREEZENAME, text, field))


@dataclass(frozen=True, slots=True)
class GroupName:
    """tenants/{tenant}/groups/{group}"""

    tenant: str
    group_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/groups/{self.group_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> GroupName:
        """Return the parts of a group's name; raise Invalid."""
        return cls(*parts(_GROUPNAME, text, field))


@dataclass(frozen=True, slots=True)
class PolicyChangeName:
    """tenants/{tenant}/policyChanges/{ulid}"""

    tenant: str
    change_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/policyChanges/{self.change_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> PolicyChangeName:
        """Return the parts of a proposed change's name; raise Invalid."""
        return cls(*parts(_POLICYCHANGENAME, text, field))
